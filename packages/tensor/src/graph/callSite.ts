/** A frame of V8's or SpiderMonkey's stack text: file (or URL), line and column. */
const framePattern = /(?:\(|@|at )((?:file:\/\/|https?:\/\/|webpack:|\/|[A-Za-z]:[\\/])[^()\s]*?):(\d+):(\d+)\)?$/;

/** The folder (src or dist) of this package as stack frames spell it: as a URL, and as a plain path when transpiled. */
const coreFolder = new URL('../', import.meta.url).href;
const corePath = decodeURIComponent(new URL('../', import.meta.url).pathname);

let override: CallSite | undefined;

/**
 * The place in the user's code that created a graph node: the innermost stack frame outside this package. The stack is captured
 * when the node is created and formatted only for an error or a listing, because formatting is expensive.
 */
export class CallSite {
  #stack: Error | undefined;
  #text: string | undefined;

  private constructor(stack: Error) {
    this.#stack = stack;
  }

  /** The call site of the code that is creating a node, or the one set by {@link CallSite.with}. */
  static capture(): CallSite {
    if (override) return override;
    // A V8 setting; other engines ignore it.
    const engine = Error as { stackTraceLimit?: number | undefined };
    const limit = engine.stackTraceLimit;
    engine.stackTraceLimit = 24;
    const stack = new Error();
    engine.stackTraceLimit = limit;
    return new CallSite(stack);
  }

  /** The call site set by the enclosing {@link CallSite.with}. */
  static get current(): CallSite | undefined {
    return override;
  }

  /** Runs `build` so that the nodes it creates have call site `site`: derivative rules point at the forward formula. */
  static with<T>(site: CallSite | undefined, build: () => T): T {
    const previous = override;
    override = site ?? previous;
    try {
      return build();
    } finally {
      override = previous;
    }
  }

  /** `file:line:column`, or an empty string if the engine gives no stack. */
  toString(): string {
    if (this.#text === undefined) {
      this.#text = userFrame(this.#stack?.stack ?? '');
      this.#stack = undefined;
    }
    return this.#text;
  }
}

function userFrame(stack: string): string {
  for (const line of stack.split('\n')) {
    const match = framePattern.exec(line.trim());
    if (!match) continue;
    const file = match[1];
    if (file.startsWith(coreFolder) || file.startsWith(corePath) || file.startsWith('node:')) continue;
    return `${decodeURIComponent(file.replace(/^file:\/\/(?=\/)/, ''))}:${match[2]}:${match[3]}`;
  }
  return '';
}
