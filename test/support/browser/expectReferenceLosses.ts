import { createReferenceBackend } from '@flow-matching/tensor';
import { expect } from 'chai';
import { trainingLosses } from '../../browser/trainingLosses.ts';

/** The losses of the page's training are those of the reference. */
export async function expectReferenceLosses(losses: readonly number[]): Promise<void> {
  await using reference = createReferenceBackend();
  const expected = await trainingLosses(reference);
  expect(losses).to.have.length(expected.length);
  losses.forEach((loss, step) => expect(loss, `step ${step + 1}`).to.be.closeTo(expected[step], 1e-3));
}
