import { assert } from 'chai';
import { finishNow, finishOnClock, type Stepwise } from '../src/eventLoop/stepwise.ts';
import { yieldOnClock } from '../src/eventLoop/yieldOnClock.ts';

describe('yielding to the event loop on a clock', () => {
  /** A clock that is set by hand, and turns that come when they are let. */
  function byHand(every = 10) {
    let time = 0;
    const turns: (() => void)[] = [];
    const due = yieldOnClock({
      every,
      now: () => time,
      turn: () => new Promise((resolve) => turns.push(resolve)),
    });
    return { due, turns, work: (milliseconds: number) => void (time += milliseconds) };
  }

  it('requests a turn only after the given milliseconds of work', async () => {
    const { due, turns, work } = byHand();
    assert.isUndefined(due());
    work(9);
    assert.isUndefined(due());
    work(1);
    const turn = due();
    assert.isDefined(turn);
    turns[0]();
    await turn;
    assert.isUndefined(due());
    work(10);
    assert.isDefined(due());
  });

  it('counts from the end of the last turn, which others may have used', async () => {
    const { due, turns, work } = byHand();
    work(10);
    const turn = due();
    work(50);
    turns[0]();
    await turn;
    work(9);
    assert.isUndefined(due());
  });

  it('gives concurrent callers one turn, so that none continues before it', async () => {
    const { due, turns, work } = byHand();
    work(10);
    const [first, second] = [due(), due()];
    assert.strictEqual(first, second);
    assert.lengthOf(turns, 1);
    turns[0]();
    await Promise.all([first, second]);
  });

  it('lets timers run during work that never waits', async () => {
    const due = yieldOnClock({ every: 0 });
    let fired = false;
    setTimeout(() => (fired = true), 1);
    let steps = 0;
    for (; !fired && steps < 1e7; steps++) await due();
    assert.isTrue(fired);
  });

  it('works where there is no setImmediate, as in a page', async () => {
    const own = globalThis.setImmediate;
    try {
      Reflect.deleteProperty(globalThis, 'setImmediate');
      const due = yieldOnClock({ every: 0 });
      let fired = false;
      setTimeout(() => (fired = true), 1);
      for (let steps = 0; !fired && steps < 1e7; steps++) await due();
      assert.isTrue(fired);
    } finally {
      globalThis.setImmediate = own;
    }
  });
});

describe('a computation in steps', () => {
  function* sumTo(count: number): Stepwise<number> {
    let sum = 0;
    for (let i = 1; i <= count; i++) {
      sum += i;
      yield;
    }
    return sum;
  }

  it('gives the same result synchronously and with pauses', async () => {
    assert.equal(finishNow(sumTo(100)), 5050);
    assert.equal(await finishOnClock(sumTo(100)), 5050);
  });

  it('ends where a signal fires', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('enough')), 1);
    function* endless(): Stepwise<never> {
      for (;;) yield;
    }
    const outcome = await finishOnClock(endless(), controller.signal).catch((error: unknown) => error);
    assert.equal((outcome as Error).message, 'enough');
  });
});
