import { assert } from 'chai';

/** The error tells of both copies of a package and of the cure. */
export function expectTold(message: string, name: string, version: string): void {
  assert.include(message, `another copy of ${name}`);
  assert.include(message, `version ${version} here`);
  assert.include(message, 'peerDependencies');
  assert.include(message, 'npm dedupe');
}
