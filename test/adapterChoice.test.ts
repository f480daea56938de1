import { expect } from 'chai';
import type { AdapterCandidate, AdapterSource } from './support/webgpu/adapterCandidates.ts';
import { chooseAdapter, type AdapterWish, type ProbedAdapter } from './support/webgpu/chooseAdapter.ts';

describe('the adapter that WebGPU tests run on', () => {
  const described = (description: string, isFallbackAdapter: boolean, ...features: string[]): ProbedAdapter => ({
    vendor: '',
    architecture: '',
    device: '',
    description,
    isFallbackAdapter,
    features,
  });
  const gpu = described('GPU', false);
  const swiftShader = described('SwiftShader', true);
  const lavapipe = described('lavapipe', true, 'shader-f16');

  /** The name of what is chosen on a machine where the sources give these adapters. */
  const chosen = (adapters: Partial<Record<AdapterSource, ProbedAdapter>>, wish?: AdapterWish): string | undefined => {
    const candidates = (['own', 'installed', 'package'] as const).map((source): AdapterCandidate => ({
      source,
      origin: source,
      environment: {},
    }));
    return chooseAdapter(candidates, ({ source }) => adapters[source], wish)?.name;
  };

  it("is the machine's GPU if there is one", () => {
    expect(chosen({ own: gpu, installed: lavapipe, package: swiftShader })).to.equal('GPU');
  });

  it('is the one of the development dependencies where there is no GPU', () => {
    expect(chosen({ installed: lavapipe, package: swiftShader })).to.equal('SwiftShader');
    // The Vulkan loader of the machine finds what is installed.
    expect(chosen({ own: lavapipe, installed: lavapipe, package: swiftShader })).to.equal('SwiftShader');
  });

  it('is not an installed software driver', () => {
    expect(chosen({ own: lavapipe, installed: lavapipe })).to.equal(undefined);
  });

  it('comes from the requested source', () => {
    const all = { own: lavapipe, installed: lavapipe, package: swiftShader };
    expect(chosen(all, { asked: 'installed' })).to.equal('lavapipe');
    expect(chosen(all, { asked: 'own' })).to.equal('lavapipe');
    expect(chosen({ ...all, own: gpu }, { asked: 'package' })).to.equal('SwiftShader');
    expect(chosen({ package: swiftShader }, { asked: 'own' })).to.equal(undefined);
  });

  it('has the feature that tests need, from installed software where nothing else has it', () => {
    const feature = 'shader-f16';
    const own = described('GPU with f16', false, feature);
    expect(chosen({ own, installed: lavapipe, package: swiftShader }, { feature })).to.equal('GPU with f16');
    expect(chosen({ own: gpu, installed: lavapipe, package: swiftShader }, { feature })).to.equal('lavapipe');
    expect(chosen({ own: gpu, package: swiftShader }, { feature })).to.equal(undefined);
  });
});
