# The gateway: docker build --tag dpop-gateway .
# Its configuration is mounted at /etc/dpop-gateway/gateway.yaml.

FROM node:26-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build

# What docker-compose.yml runs beside the gateways: the issuer and the API of the demo.
FROM build AS demo
USER node

FROM node:26-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev

FROM node:26-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
USER node
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s \
  CMD ["node", "dist/main.js", "health", "--config", "/etc/dpop-gateway/gateway.yaml"]
ENTRYPOINT ["node", "dist/main.js"]
CMD ["start", "--config", "/etc/dpop-gateway/gateway.yaml"]
