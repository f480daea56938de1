import type { Tensor } from '@flow-matching/tensor';
import type { OnnxNodeCase } from './onnxNodeCase.ts';

/** One case for a converter: traced inputs, inputs whose values are attributes in our operators, and attributes. */
export class NodeCaseReader {
  readonly case: OnnxNodeCase;
  readonly #tensors: readonly (Tensor | undefined)[];

  constructor(node: OnnxNodeCase, tensors: readonly (Tensor | undefined)[]) {
    this.case = node;
    this.#tensors = tensors;
  }

  get tensors(): Tensor[] {
    return this.#tensors.filter((tensor) => tensor !== undefined);
  }
  /** A required input. */
  x(i: number): Tensor {
    const tensor = this.#tensors[i];
    if (!tensor) throw new Error(`${this.case.name} has no input ${i}`);
    return tensor;
  }
  maybe(i: number): Tensor | undefined {
    return this.#tensors[i];
  }
  /** The numbers of an input that is an attribute in our operators: axes, shapes, scales. */
  static(i: number): number[] | undefined {
    const given = this.case.inputs[i];
    return given ? Array.from(given.data) : undefined;
  }
  number(name: string, otherwise: number): number {
    return (this.case.attributes[name] as number | undefined) ?? otherwise;
  }
  list(name: string, otherwise: readonly number[]): readonly number[] {
    return (this.case.attributes[name] as number[] | undefined) ?? otherwise;
  }
  text(name: string, otherwise: string): string {
    return (this.case.attributes[name] as string | undefined) ?? otherwise;
  }
}
