import { FlowMatchingError } from '@flow-matching/tensor';
import * as core from '@flow-matching/core';
import * as tensor from '@flow-matching/tensor';
import * as plugins from '@flow-matching/plugins';
import * as webgpu from '@flow-matching/backend-webgpu';
import { assert, expect } from 'chai';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundleLibrary, libraryEntry, sizeBudget, type LibraryBundle } from '../browser/bundleLibrary.ts';

describe('the library as one ES module for browsers', () => {
  let bundle: LibraryBundle;
  let library: Record<string, unknown>;

  before(async () => {
    bundle = await bundleLibrary();
    const folder = await mkdtemp(join(tmpdir(), 'flow-matching-'));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    for (const { name, contents } of bundle.files) await writeFile(join(folder, name), contents);
    library = (await import(pathToFileURL(join(folder, libraryEntry)).href)) as Record<string, unknown>;
    await rm(folder, { recursive: true });
  });

  it('is within its budget', function () {
    const { gzipBytes } = bundle;
    this.test!.title += `: ${(gzipBytes / 1000).toFixed(1)} of ${sizeBudget / 1000} kB gzip`;
    expect(gzipBytes).to.be.within(50_000, sizeBudget);
  });

  it('exports what its packages do', () => {
    assert.sameMembers(
      Object.keys(library),
      [tensor, core, plugins, webgpu].flatMap((exports) => Object.keys(exports)),
    );
  });

  it('has a language that takes neither a container nor schemas with it', async function () {
    const { gzipBytes, packages } = await bundleLibrary(['@flow-matching/tensor', '@flow-matching/backend-webgpu']);
    this.test!.title += `: ${(gzipBytes / 1000).toFixed(1)} kB gzip with the WebGPU backend`;
    assert.sameMembers([...packages.keys()], ['packages/tensor', 'packages/backend-webgpu']);
  });

  it('has errors under the names that programs and people know', () => {
    const names = Object.entries({ ...tensor, ...core }).flatMap(([name, value]) => (isError(value) ? [name] : []));
    expect(names).to.include.members(['FlowMatchingError', 'OptionError', 'ShapeError']);
    for (const name of names) {
      const Class = library[name] as new (...parts: string[]) => Error;
      expect(new Class('FM_CODE', 'A problem.').name).to.equal(name);
    }
    const points = library['points'] as typeof plugins.points;
    expect(() => points({ file: 3 as never }))
      .to.throw()
      .with.property('name', 'OptionError');
  });
});

const isError = (value: unknown): boolean =>
  typeof value === 'function' && (value === FlowMatchingError || value.prototype instanceof FlowMatchingError);
