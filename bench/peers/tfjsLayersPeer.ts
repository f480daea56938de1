import type { PreparedWork, Subject } from '../subject.ts';
import type { Work } from '../works.ts';
import { LineWorker, preparedBy } from './lineWorker.ts';

/** TensorFlow.js's layers, trained operator by operator on tfjs-node: in a process of its own, where they bring an engine along. */
export class TfjsLayersPeer implements Subject {
  readonly name = 'tfjs-layers';
  readonly #worker: LineWorker;

  constructor(threads: number) {
    this.#worker = new LineWorker({ command: process.execPath, script: 'tfjsLayersWorker.cjs', args: [], threads });
  }

  /** @throws for anything but training: TensorFlow.js has no solver. */
  async prepare({ kind, size, operations }: Work): Promise<PreparedWork> {
    if (kind !== 'training') throw new Error('TensorFlow.js has layers to train and no solver.');
    await this.#worker.ask({ do: 'prepare', size, operations });
    return preparedBy(this.#worker);
  }

  close(): Promise<void> {
    return this.#worker.close();
  }
}
