// Mocha's spec reporter, which also writes "passed failed" into the file that TOTALS_FILE names, for scripts/test to add up.
// CommonJS, because mocha loads reporters with require.
const { writeFileSync } = require('node:fs');
const { reporters } = require('mocha');

module.exports = class TotalsReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once('end', () => {
      const file = process.env.TOTALS_FILE;
      if (file) writeFileSync(file, `${this.stats.passes} ${this.stats.failures}\n`);
    });
  }
};
