import { assert } from 'chai';
import { dtypeSets } from '../src/backend/dtypeSets.ts';

describe('the kinds of dtypes', () => {
  it('have those that a backend supports, in its order', () => {
    assert.deepEqual(dtypeSets(['u32', 'f16', 'f32', 'i32', 'bool']), {
      float: ['f16', 'f32'],
      integer: ['u32', 'i32'],
      signed: ['f16', 'f32', 'i32'],
      numeric: ['u32', 'f16', 'f32', 'i32'],
      any: ['u32', 'f16', 'f32', 'i32', 'bool'],
    });
  });
});
