/** The models, without a page of JupyterLab: quick, and with no network. */
module.exports = {
  testEnvironment: 'jsdom',
  testMatch: ['<rootDir>/src/**/__tests__/*.test.ts'],
  modulePathIgnorePatterns: [
    '<rootDir>/lib/',
    '<rootDir>/jupyterlab_attention/'
  ],
  transform: {
    '^.+\\.tsx?$': [
      'ts-jest',
      {
        tsconfig: {
          esModuleInterop: true,
          module: 'commonjs',
          moduleResolution: 'node10',
          lib: ['DOM', 'DOM.Iterable', 'ES2022'],
          target: 'ES2022',
          strict: true,
          skipLibCheck: true,
          isolatedModules: true,
          types: ['jest', 'node']
        }
      }
    ]
  }
};
