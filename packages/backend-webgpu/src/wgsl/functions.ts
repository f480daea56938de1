/** A function that kernels may call, with the functions that it calls itself. */
interface LibraryFunction {
  readonly needs?: readonly string[];
  readonly code: string;
}

/**
 * Kernels call these functions where WGSL's own are not accurate enough (sin, cos and tanh may have errors of 2⁻¹¹), or are
 * wrong for extreme arguments on some adapters (log of 0, tanh of 100). NaN is detected by its bits, because compilers may
 * assume that there is none.
 */
const library = {
  nan: { code: 'var<private> nanBits: u32 = 0x7fc00000u;' },
  infinity: { code: 'var<private> infinityBits: u32 = 0x7f800000u;' },
  isNan: { code: 'fn isNan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }' },
  isFinite: { code: 'fn isFinite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }' },
  isTrue: { code: 'fn isTrue(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) != 0u; }' },
  // x − x, which a compiler might replace by 0.
  lessItself: {
    needs: ['isFinite', 'nan'],
    code: 'fn lessItself(x: f32) -> f32 { return select(bitcast<f32>(nanBits), 0.0f, isFinite(x)); }',
  },
  timesZero: {
    needs: ['isFinite', 'nan'],
    code: `fn timesZero(x: f32) -> f32 {
  return select(bitcast<f32>(nanBits), bitcast<f32>(bitcast<u32>(x) & 0x80000000u), isFinite(x));
}`,
  },
  // In exact halves, so that the sum is rounded once.
  fromUnsigned: {
    code: 'fn fromUnsigned(x: u32) -> f32 { return f32(x >> 16u) * 65536.0f + f32(x & 0xffffu); }',
  },
  // The nearest f16, ties to even. WGSL's conversion may round either way and leaves overflow undefined, and compilers drop it
  // if it is converted back.
  toHalf: {
    code: `fn toHalf(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  let size = bits & 0x7fffffffu;
  let normal = (size + 0xfffu + ((size >> 13u) & 1u)) & 0xffffe000u;
  let subnormal = bitcast<u32>(round(bitcast<f32>(size) * 0x1p24f) * 0x1p-24f);
  let finite = select(normal, subnormal, size < 0x38800000u);
  let nearest = select(finite, 0x7f800000u, size >= 0x477ff000u);
  return bitcast<f32>((bits & 0x80000000u) | select(nearest, size, size > 0x7f800000u));
}`,
  },
  maximum: {
    needs: ['isNan'],
    code: 'fn maximum(a: f32, b: f32) -> f32 { return select(select(max(a, b), b, isNan(b)), a, isNan(a)); }',
  },
  minimum: {
    needs: ['isNan'],
    code: 'fn minimum(a: f32, b: f32) -> f32 { return select(select(min(a, b), b, isNan(b)), a, isNan(a)); }',
  },
  exponential: {
    needs: ['isNan', 'infinity'],
    code: `fn exponential(x: f32) -> f32 {
  let y = select(exp(clamp(x, -104.0f, 88.8f)), bitcast<f32>(infinityBits), x > 88.72284f);
  return select(select(y, 0.0f, x < -103.9f), x, isNan(x));
}`,
  },
  // log(1 + f) for f in [√½ − 1, √2 − 1] (Cephes, logf), to which `correction` is added before the large terms.
  logarithmNearOne: {
    code: `fn logarithmNearOne(f: f32, correction: f32) -> f32 {
  let z = f * f;
  var p = 7.0376836292e-2f;
  p = p * f - 1.1514610310e-1f;
  p = p * f + 1.1676998740e-1f;
  p = p * f - 1.2420140846e-1f;
  p = p * f + 1.4249322787e-1f;
  p = p * f - 1.6668057665e-1f;
  p = p * f + 2.0000714765e-1f;
  p = p * f - 2.4999993993e-1f;
  p = p * f + 3.3333331174e-1f;
  return f + (p * f * z + correction - 0.5f * z);
}`,
  },
  // The part of the exponent in two pieces, and that of the mantissa in [√½, √2).
  logarithm: {
    needs: ['nan', 'infinity', 'isNan', 'logarithmNearOne'],
    code: `fn logarithm(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if ((bits & 0x7fffffffu) < 0x00800000u) { return -bitcast<f32>(infinityBits); }
  if (isNan(x) || x < 0.0f) { return bitcast<f32>(nanBits); }
  if (bits == 0x7f800000u) { return x; }
  let shifted = bits - 0x3f3504f3u;
  let exponent = f32(bitcast<i32>(shifted) >> 23u);
  let mantissa = bitcast<f32>((shifted & 0x007fffffu) + 0x3f3504f3u);
  return logarithmNearOne(mantissa - 1.0f, -2.12194440e-4f * exponent) + 0.693359375f * exponent;
}`,
  },
  // Near 0 without forming 1 + x; Kahan's correction would be undone by compilers that replace (1 + x) − 1 by x.
  logarithmOfOnePlus: {
    needs: ['logarithm', 'logarithmNearOne'],
    code: `fn logarithmOfOnePlus(x: f32) -> f32 {
  if (x > -0.2929f && x < 0.4142f) { return logarithmNearOne(x, 0.0f); }
  return logarithm(1.0f + x);
}`,
  },
  exponentialLessOne: {
    needs: ['exponential'],
    code: `fn exponentialLessOne(x: f32) -> f32 {
  if (abs(x) >= 0.7f) { return exponential(x) - 1.0f; }
  var p = 2.7557319e-6f;
  p = p * x + 2.4801587e-5f;
  p = p * x + 1.9841270e-4f;
  p = p * x + 1.3888889e-3f;
  p = p * x + 8.3333333e-3f;
  p = p * x + 4.1666667e-2f;
  p = p * x + 1.6666667e-1f;
  p = p * x + 0.5f;
  return x + p * x * x;
}`,
  },
  // Subtracts quarter turns in three parts (Cody and Waite), then a polynomial on [−π/4, π/4] (Cephes, sinf).
  circular: {
    needs: ['isFinite', 'nan'],
    code: `fn circular(x: f32, turned: u32) -> f32 {
  if (!isFinite(x)) { return bitcast<f32>(nanBits); }
  let k = round(x * 0.63661977f);
  let r = ((x - k * 1.5703125f) - k * 4.837512969970703125e-4f) - k * 7.54978995489188216e-8f;
  let z = r * r;
  let sine = ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f) * z * r + r;
  let cosine = ((2.443315711809948e-5f * z - 1.388731625493765e-3f) * z + 4.166664568298827e-2f) * z * z - 0.5f * z + 1.0f;
  let quarter = u32(i32(k)) + turned;
  let y = select(sine, cosine, (quarter & 1u) == 1u);
  return select(y, -y, (quarter & 2u) == 2u);
}`,
  },
  // A polynomial near 0 (Cephes, tanhf), so that small values keep their digits.
  hyperbolicTangent: {
    needs: ['isNan'],
    code: `fn hyperbolicTangent(x: f32) -> f32 {
  let size = min(abs(x), 20.0f);
  if (size < 0.625f) {
    let z = x * x;
    var p = -5.70498872745e-3f;
    p = p * z + 2.06390887954e-2f;
    p = p * z - 5.37397155531e-2f;
    p = p * z + 1.33314422036e-1f;
    p = p * z - 3.33332819422e-1f;
    return x + x * z * p;
  }
  let e = exp(-2.0f * size);
  let y = (1.0f - e) / (1.0f + e);
  return select(select(y, -y, x < 0.0f), x, isNan(x));
}`,
  },
  logistic: {
    needs: ['exponential'],
    code: 'fn logistic(x: f32) -> f32 { return 1.0f / (1.0f + exponential(-x)); }',
  },
  // Its series near 0; elsewhere 1 − polynomial(1/(1 + p·x))·exp(−x²) (Abramowitz & Stegun 7.1.26).
  errorFunction: {
    needs: ['isNan'],
    code: `fn errorFunction(x: f32) -> f32 {
  let size = min(abs(x), 6.0f);
  let z = size * size;
  if (size < 0.8f) {
    var p = -1.492565036e-05f;
    p = p * z + 1.205533298e-04f;
    p = p * z - 8.548327023e-04f;
    p = p * z + 5.223977625e-03f;
    p = p * z - 2.686617065e-02f;
    p = p * z + 1.128379167e-01f;
    p = p * z - 3.761263890e-01f;
    p = p * z + 1.128379167e+00f;
    return x * p;
  }
  let t = 1.0f / (1.0f + 0.3275911f * size);
  let q = ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t;
  let y = 1.0f - q * exp(-z);
  return select(select(y, -y, x < 0.0f), x, isNan(x));
}`,
  },
  power: {
    needs: ['logarithm', 'exponential', 'isNan', 'nan'],
    code: `fn power(a: f32, b: f32) -> f32 {
  let size = abs(a);
  if (b == 0.0f || a == 1.0f || (size == 1.0f && abs(b) > 3e38f)) { return 1.0f; }
  if (isNan(a) || isNan(b)) { return bitcast<f32>(nanBits); }
  let whole = floor(b) == b;
  let odd = whole && abs(b) < 16777216.0f && (i32(b) & 1) == 1;
  let y = exponential(b * logarithm(size));
  let negative = (bitcast<u32>(a) >> 31u) == 1u;
  if (negative && size > 0.0f && !whole) { return select(bitcast<f32>(nanBits), y, size > 3.4e38f); }
  return select(y, -y, negative && odd);
}`,
  },
  // The quotient may be rounded up to the next integer; the remainder shows that.
  remainder: {
    needs: ['isFinite'],
    code: `fn remainder(a: f32, b: f32) -> f32 {
  let divisor = abs(b);
  var rest = fma(-divisor, trunc(abs(a) / divisor), abs(a));
  rest = select(rest, rest + divisor, rest < 0.0f);
  rest = select(rest, rest - divisor, rest >= divisor);
  return select(select(rest, -rest, a < 0.0f), a, isFinite(a) && divisor > 3.4e38f);
}`,
  },
  // The result has the divisor's sign.
  modulo: {
    code: `fn modulo(a: i32, b: i32) -> i32 {
  let rest = a % b;
  return select(rest, rest + b, rest != 0 && (rest < 0) != (b < 0));
}`,
  },
  highWord: {
    code: `fn highWord(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let carry = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (middle >> 16u) + (carry >> 16u);
}`,
  },
  // Philox 4×32-10; the rounds and constants are those of the operator RandomBits.
  philox: {
    needs: ['highWord'],
    code: `fn philox(key: vec2u, counter: vec4u) -> vec4u {
  var x = counter;
  var k = key;
  for (var round = 0u; round < 10u; round++) {
    let high0 = highWord(0xd2511f53u, x.x);
    let high1 = highWord(0xcd9e8d57u, x.z);
    x = vec4u(high1 ^ x.y ^ k.x, 0xcd9e8d57u * x.z, high0 ^ x.w ^ k.y, 0xd2511f53u * x.x);
    k += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return x;
}`,
  },
} as const satisfies Readonly<Record<string, LibraryFunction>>;

export type LibraryName = keyof typeof library;

/** The code of functions and their dependencies, each once and before it is called. */
export function libraryCode(names: Iterable<LibraryName>): string[] {
  const written = new Set<string>();
  const code: string[] = [];
  const write = (name: string): void => {
    if (written.has(name)) return;
    written.add(name);
    const { needs = [], code: own }: LibraryFunction = library[name as LibraryName];
    needs.forEach(write);
    code.push(own);
  };
  [...names].toSorted().forEach(write);
  return code;
}
