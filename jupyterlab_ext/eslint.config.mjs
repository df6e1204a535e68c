import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['lib/', 'jupyterlab_attention/', '*.js', '*.mjs'] },
  eslint.configs.recommended,
  ...tseslint.configs.recommended,
  {
    rules: {
      '@typescript-eslint/explicit-function-return-type': [
        'error',
        { allowExpressions: true }
      ],
      '@typescript-eslint/no-namespace': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_' }
      ],
      curly: 'error',
      eqeqeq: 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'AssignmentExpression[left.property.name=/^(inner|outer)HTML$/]',
          message:
            'Text of the kernel or the notebook is never HTML: use dom.ts.'
        },
        {
          selector: "CallExpression[callee.property.name='insertAdjacentHTML']",
          message:
            'Text of the kernel or the notebook is never HTML: use dom.ts.'
        }
      ]
    }
  },
  {
    files: ['src/__tests__/**'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/explicit-function-return-type': 'off'
    }
  },
  {
    // Bokeh's bundle has no types.
    files: ['src/heatmap/bokeh.ts'],
    rules: { '@typescript-eslint/no-explicit-any': 'off' }
  }
);
