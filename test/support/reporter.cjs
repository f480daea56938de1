'use strict';

const { reporters } = require('mocha');

/** The spec reporter, followed by one plain line of totals: the last line of a run, for people and scripts alike. */
module.exports = class Totals extends reporters.Spec {
  epilogue() {
    super.epilogue();
    const { passes, failures, pending } = this.stats;
    reporters.Base.consoleLog(`${passes} passed, ${failures} failed, ${pending} skipped`);
  }
};
