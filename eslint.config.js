import tseslint from 'typescript-eslint'

export default tseslint.config(
  { ignores: ['dist', '.tap'] },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // A number in a template is how durations and ports are printed.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // tap awaits the promises of its own subtests and assertions, and a test body is async by contract.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: '@tapjs/core', name: ['test'] },
            { from: 'package', package: '@tapjs/test', name: ['test'] },
            {
              from: 'package',
              package: '@tapjs/asserts',
              name: ['rejects', 'resolves', 'resolveMatch'],
            },
          ],
        },
      ],
    },
  },
)
