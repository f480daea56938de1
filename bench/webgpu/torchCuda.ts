import { LineWorker, preparedBy } from '../peers/lineWorker.ts';
import { availablePeers, findPeers } from '../peers/pythonPeers.ts';
import type { PreparedWork, Subject } from '../subject.ts';
import type { Work } from '../works.ts';

/** PyTorch on CUDA, where an interpreter has PyTorch. Whether it has a GPU shows when it prepares. */
export async function torchCuda(python: string | undefined): Promise<Subject[]> {
  const installed = await findPeers(python);
  return installed && availablePeers(installed).includes('torch') ? [new TorchCuda(installed.python)] : [];
}

class TorchCuda implements Subject {
  readonly name = 'torch (cuda)';
  readonly #worker: LineWorker;

  constructor(python: string) {
    this.#worker = new LineWorker({
      command: python,
      script: 'worker.py',
      args: ['torch_cuda_peer', '1'],
      threads: 1,
      device: 'cuda',
    });
  }

  async prepare({ kind, size, operations, ...work }: Work): Promise<PreparedWork> {
    await this.#worker.ask({ ...work, do: 'prepare', kind, size, operations });
    return preparedBy(this.#worker);
  }

  close(): Promise<void> {
    return this.#worker.close();
  }
}
