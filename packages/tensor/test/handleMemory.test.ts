import { assert } from 'chai';
import type { Backend, CompileOptions, Executable } from '../src/backend/backend.ts';
import { handleBackend } from '../src/backend/handleBackend.ts';
import type { HandleComputation, HandleProgram } from '../src/backend/handleComputation.ts';
import { BackendError, LostError } from '../src/errors.ts';
import { f32, trace, u32 } from '../src/graph/trace.ts';
import { evaluateGraph } from '../src/reference/evaluateGraph.ts';
import { referenceManifest } from '../src/reference/kernels.ts';
import { hostArray, hostScalar, type HostArray } from '../src/tensor/hostArray.ts';
import { rejectionOf, thrownBy } from './support/thrownBy.ts';

/** A value that knows how often it was freed. */
class Cell {
  frees = 0;
  readonly array: HostArray;

  constructor(array: HostArray) {
    this.array = array;
  }
}

type Run = HandleProgram<Cell>['run'];

/** A backend that notes its values. `around` sees each run and may replace it. */
function countedMemory(
  parts: Partial<HandleComputation<Cell>> = {},
  around: (run: Run, graphName: readonly string[]) => Run = (run) => run,
): { backend: Backend; cells: Cell[] } {
  const cells: Cell[] = [];
  const made = (array: HostArray): Cell => {
    const cell = new Cell(array);
    cells.push(cell);
    return cell;
  };
  const backend = handleBackend<Cell>({
    name: 'counted',
    device: 'none',
    manifest: referenceManifest,
    memory: cells,
    upload: ({ data, shape, dtype }) => made({ data: data.slice(), shape, dtype }),
    read: ({ array }) => array.data.slice(),
    free: (cell) => void cell.frees++,
    compile(graph) {
      const names = graph.outputs.map(({ name }) => name);
      const run: Run = (inputs) => {
        const given = Object.fromEntries(Object.keys(inputs).map((name) => [name, inputs[name].array]));
        const results = evaluateGraph(graph, given);
        // An input that is an output is the same value.
        return Object.fromEntries(
          graph.outputs.map(({ name, tensor }) => {
            const port = graph.inputs.find((candidate) => candidate.tensor === tensor);
            return [name, port ? inputs[port.name] : made(results[name])];
          }),
        );
      };
      return { run: around(run, names), dispose: () => undefined };
    },
    ...parts,
  });
  return { backend, cells };
}

const increment = trace(({ x, by }) => ({ x: x.add(by), by }), { x: f32([2]), by: f32() });
const inPlace: CompileOptions = { aliases: [['x', 'x']] };

describe('the values of a backend', () => {
  it('are freed once each, after the last array and run that use them', async () => {
    const { backend, cells } = countedMemory();
    const executable = await backend.compile(increment, inPlace);
    const by = backend.array(hostScalar(1));
    let state = backend.array(hostArray([0, 0]));
    for (let i = 0; i < 3; i++) {
      const results = await executable.run({ x: state, by });
      state = results['x'];
      results['by'].dispose();
    }
    assert.deepEqual(
      cells.map(({ frees }) => frees),
      [0, 1, 1, 1, 0],
    );
    const { by: kept } = await executable.run({ x: state, by });
    by.dispose();
    assert.deepEqual(Array.from(await kept.read()), [1]);
    assert.equal(cells[0].frees, 0, 'an output that is an input keeps the value');
    kept.dispose();
    kept.dispose();
    assert.equal(cells[0].frees, 1);
    await backend.dispose();
  });

  it('of host arrays live for one run, even if it fails, and not at all where the backend borrows the array', async () => {
    let fail = true;
    const { backend, cells } = countedMemory({}, (run) => (inputs) => {
      if (fail) throw new BackendError('no');
      return run(inputs);
    });
    const executable = await backend.compile(increment);
    const given = { x: hostArray([1, 2]), by: hostScalar(1) };
    await rejectionOf(executable.run(given));
    fail = false;
    const { x, by } = await executable.run(given);
    const frees = () => cells.map((cell) => cell.frees);
    // The second `by` is an output too.
    assert.deepEqual(frees(), [1, 1, 1, 0, 0]);
    x.dispose();
    by.dispose();
    assert.deepEqual(frees(), [1, 1, 1, 1, 1]);
    await backend.dispose();

    const borrowed: Cell[] = [];
    const borrowing = countedMemory({
      borrow(source) {
        borrowed.push(new Cell(source));
        return borrowed.at(-1)!;
      },
    });
    const double = await borrowing.backend.compile(trace(({ x }) => ({ y: x.mul(2) }), { x: f32([2]) }));
    const data = Float32Array.of(1, 2);
    const { y } = await double.run({ x: hostArray(data) });
    assert.deepEqual(Array.from(await y.read()), [2, 4]);
    assert.strictEqual(borrowed[0].array.data, data);
    assert.equal(borrowed[0].frees, 0);
    assert.lengthOf(borrowing.cells, 1, 'nothing is uploaded');
    await borrowing.backend.dispose();
  });

  it('are donated as soon as a run is requested, and given back if it fails', async () => {
    let release: (error?: Error) => void = () => undefined;
    const { backend } = countedMemory({}, (run) => async (inputs) => {
      await new Promise<void>((resolve, reject) => (release = (error) => (error ? reject(error) : resolve())));
      return run(inputs);
    });
    const executable = await backend.compile(increment, inPlace);
    const x = backend.array(hostArray([1, 2]));
    const by = hostScalar(1);
    const failing = executable.run({ x, by });
    assert.isTrue(x.disposed);
    assert.equal((await rejectionOf(executable.run({ x, by }))).code, 'FM_DISPOSED');
    const read = x.read();
    await turn();
    release(new BackendError('no'));
    assert.equal((await rejectionOf(failing)).message, 'no');
    assert.deepEqual(Array.from(await read), [1, 2], 'a read waits for the run');
    assert.isFalse(x.disposed);

    const running = executable.run({ x, by });
    const late = x.read();
    await turn();
    release();
    await running;
    assert.equal((await rejectionOf(late)).code, 'FM_DISPOSED');
    await backend.dispose();
  });

  it('are lost with their device, while uploads, compilations and runs report its failure', async () => {
    const device: { failure?: Error } = {};
    const { backend, cells } = countedMemory({ failure: () => device.failure });
    const executable = await backend.compile(increment, inPlace);
    const x = backend.array(hostArray([1, 2]));
    const by = hostScalar(1);
    device.failure = new BackendError('The device was lost.');
    const error = await rejectionOf(x.read());
    assert.equal(error.code, 'FM_LOST');
    assert.include(error.message, 'The device was lost.');
    assert.strictEqual(error.cause, device.failure);
    assert.isFalse(x.disposed);
    for (const use of [
      executable.run({ x, by }),
      backend.compile(increment),
      Promise.resolve().then(() => backend.array(by)),
    ])
      assert.strictEqual(await rejectionOf(use), device.failure);
    x.dispose();
    assert.equal(cells[0].frees, 1);
    assert.equal((await rejectionOf(x.read())).code, 'FM_DISPOSED');
    await backend.dispose();
    assert.equal((await rejectionOf(backend.compile(increment))).code, 'FM_DISPOSED');
  });

  it('are lost with the run that began to overwrite them, and the inputs that it only read are not', async () => {
    const { backend, cells } = countedMemory({}, () => () => {
      throw new LostError('The device ran out of memory in the middle of the run.');
    });
    const executable = await backend.compile(increment, inPlace);
    const [x, by] = [backend.array(hostArray([1, 2])), backend.array(hostScalar(1))];
    assert.equal((await rejectionOf(executable.run({ x, by }))).code, 'FM_LOST');
    assert.equal((await rejectionOf(x.read())).code, 'FM_LOST');
    assert.equal((await rejectionOf(executable.run({ x, by }))).code, 'FM_LOST');
    assert.deepEqual(Array.from(await by.read()), [1]);
    x.dispose();
    assert.deepEqual(
      cells.map(({ frees }) => frees),
      [1, 0],
    );
    await backend.dispose();
  });

  it('that the host draws from are read before the run, from arrays and host arrays alike', async () => {
    const draws: number[] = [];
    const randomness = {
      dependsOn: ['key'],
      draw: ({ key }: Readonly<Record<string, HostArray>>) => {
        draws.push(key.data[0]);
        return { x: hostArray([key.data[0], 0]) };
      },
    };
    for (const read of [({ array }: Cell) => array.data.slice(), async ({ array }: Cell) => array.data.slice()]) {
      const graph = trace(({ x, by }) => ({ y: x.add(by) }), { x: f32([2]), by: f32() });
      const { backend, cells } = countedMemory({
        read,
        compile: () => ({
          randomness,
          run: ({ x, by }) => {
            const { y } = evaluateGraph(graph, { x: x.array, by: by.array });
            cells.push(new Cell(y));
            return { y: cells.at(-1)! };
          },
          dispose: () => undefined,
        }),
      });
      const executable = await backend.compile(
        trace(({ key, by }) => ({ y: key.cast('f32').add(by) }), { key: u32([2]), by: f32() }),
      );
      const key = hostArray(Uint32Array.of(5, 6));
      for (const given of [key, backend.array(key)]) {
        const running = executable.run({ key: given, by: hostScalar(1) });
        key.data[0] = 9;
        const { y } = await running;
        key.data[0] = 5;
        assert.deepEqual(Array.from(await y.read()), [6, 1]);
      }
      await backend.dispose();
    }
    assert.deepEqual(draws, [5, 5, 5, 5]);
  });
});

describe('the order of runs', () => {
  /** Two programs whose runs note when they begin and end. */
  async function notes(order: 'backend' | 'program' | 'device'): Promise<readonly string[]> {
    const noted: string[] = [];
    const { backend } = countedMemory({ order }, (run, [name]) => async (inputs) => {
      noted.push(`${name} begins`);
      await turn();
      noted.push(`${name} ends`);
      return run(inputs);
    });
    const compiled = (name: string): Promise<Executable> =>
      backend.compile(trace(({ x }) => ({ [name]: x.add(1) }), { x: f32([1]) }));
    const [a, b] = await Promise.all([compiled('a'), compiled('b')]);
    const given = { x: hostArray([1]) };
    const running = [a.run(given), a.run(given), b.run(given)];
    noted.push('requested');
    await backend.dispose();
    noted.push('disposed');
    await Promise.all(running);
    return noted;
  }

  it('is that of requests in the whole backend by default', async () => {
    assert.deepEqual(await notes('backend'), [
      'requested',
      'a begins',
      'a ends',
      'a begins',
      'a ends',
      'b begins',
      'b ends',
      'disposed',
    ]);
  });

  it('is that of requests in each program, where programs run side by side', async () => {
    const noted = await notes('program');
    assert.deepEqual(noted.slice(0, 3), ['requested', 'a begins', 'b begins']);
    assert.deepEqual(
      noted.filter((note) => note.startsWith('a')),
      ['a begins', 'a ends', 'a begins', 'a ends'],
    );
    assert.equal(noted.at(-1), 'disposed');
  });

  it('is left to the device, which is given every run at once', async () => {
    assert.deepEqual(await notes('device'), [
      'a begins',
      'a begins',
      'b begins',
      'requested',
      'a ends',
      'a ends',
      'b ends',
      'disposed',
    ]);
  });
});

describe('a program specialized on bound arrays', () => {
  it('runs for them, and is disposed with its executable', async () => {
    const events: string[] = [];
    const graph = trace(({ x, by }) => ({ y: x.add(by) }), { x: f32([1]), by: f32() });
    const program = (name: string, by?: number): HandleProgram<Cell> => ({
      run: (inputs) => {
        const added = by ?? inputs['by'].array.data[0];
        return { y: new Cell(hostArray([inputs['x'].array.data[0] + added])) };
      },
      ...(by === undefined && {
        specialize: async (bound: Readonly<Record<string, Cell>>) => {
          const value = bound['by'].array.data[0];
          await turn();
          if (value < 0) throw new BackendError('no');
          return program(`of ${value}`, 100 * value);
        },
      }),
      dispose: () => void events.push(`${name} is disposed`),
    });
    const { backend, cells } = countedMemory({ compile: () => program('general') });
    const executable = await backend.compile(graph);
    const [one, two, wrong] = [1, 2, -1].map((value) => backend.array(hostScalar(value)));
    const [first, second, failed] = [one, two, wrong].map((by) => executable.bind({ by }));
    const x = hostArray([7]);
    const y = async (running: ReturnType<Executable['run']>): Promise<number[]> =>
      Array.from(await (await running)['y'].read());
    assert.deepEqual(await Promise.all([y(first.run({ x })), y(second.run({ x }))]), [[107], [207]]);
    assert.deepEqual(await y(executable.run({ x, by: two })), [9]);
    assert.equal((await rejectionOf(failed.run({ x }))).message, 'no');
    await first.dispose();
    await failed.dispose();
    assert.deepEqual(events, ['of 1 is disposed']);
    for (const array of [one, two, wrong]) array.dispose();
    assert.deepEqual(
      cells.slice(0, 3).map(({ frees }) => frees),
      [1, 1, 1],
    );
    await backend.dispose();
    assert.deepEqual(events, ['of 1 is disposed', 'of 2 is disposed', 'general is disposed']);
  });

  it('that cannot be bound to a lost array is not kept', async () => {
    const events: string[] = [];
    const program: HandleProgram<Cell> = {
      run: () => {
        throw new LostError('no');
      },
      specialize: async () => program,
      dispose: () => void events.push('disposed'),
    };
    const { backend } = countedMemory({ compile: () => program });
    const taking = await backend.compile(increment, inPlace);
    const executable = await backend.compile(increment);
    const x = backend.array(hostArray([1, 2]));
    await rejectionOf(taking.run({ x, by: hostScalar(1) }));
    assert.equal(thrownBy(() => executable.bind({ x })).code, 'FM_LOST');
    await executable.dispose();
    assert.deepEqual(events, ['disposed']);
    await backend.dispose();
  });
});

/** Long enough for everything that does not wait for a timer. */
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
