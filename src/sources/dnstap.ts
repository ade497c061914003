import { setImmediate } from 'node:timers/promises';
import type { Carrier } from '../core/carrier.ts';
import { EXIT, UserError } from '../core/errors.ts';
import type { Damage } from '../core/frames.ts';
import type { MessageSource } from '../core/messages.ts';
import { BrokenInput, type ByteInput, Peeked } from './byte-input.ts';
import { openBytes } from './bytes.ts';
import { uncompressed } from './compressed.ts';
import { DnstapDecoder } from './dnstap-message.ts';
import { type ListenInput, MessageListener, type SenderProtocol, type SenderStream } from './listener.ts';
import {
  ACCEPT,
  BROKEN,
  CONTROL,
  controlFrame,
  DATA,
  DNSTAP_CONTENT_TYPE,
  FINISH,
  FrameStreams,
  NOTHING,
  READY,
  START,
  STOP,
} from '../wire/frame-streams.ts';

/** Where dnstap comes from, as plain data. */
export type DnstapInput =
  /** A Frame Streams file, plain or compressed; `-` is standard input. */
  { kind: 'file'; path: string } | ListenInput;

/**
 * Opens a dnstap source. A file is read once; a listener takes any number of senders, one-way or with the handshake.
 * Throws UserError: exit code 3 for a file, 2 for an address that cannot be listened on.
 */
export async function openDnstap(input: DnstapInput, startMs?: number): Promise<MessageSource> {
  if (input.kind === 'file') return new DnstapFile(input.path, await openBytes(input.path));
  return MessageListener.open(input, DNSTAP, startMs);
}

/** One stream of frames, from a file or a sender: follows its handshake and decodes its data frames. */
class DnstapStream implements SenderStream {
  readonly frames = new FrameStreams();
  /** True between START and STOP. */
  isOpen = false;
  /** True after FINISH was due: nothing more is expected. */
  isOver = false;
  reason = '';
  /** True when the sender began with the handshake: it waits for answers. */
  #twoWay = false;
  readonly #decoder: DnstapDecoder;
  readonly #answer: (bytes: Uint8Array) => void;

  constructor(decoder: DnstapDecoder, answer: (bytes: Uint8Array) => void) {
    this.#decoder = decoder;
    this.#answer = answer;
  }

  get hasBegun(): boolean {
    return this.isOpen || this.isOver;
  }

  get isWhole(): boolean {
    return this.frames.isEmpty;
  }

  get offset(): number {
    return this.frames.offset;
  }

  push(bytes: Uint8Array): boolean {
    this.frames.push(bytes);
    for (;;) {
      const found = this.frames.next();
      if (found === NOTHING) return true;
      if (found === BROKEN) this.reason = this.frames.reason;
      else if (found === CONTROL) this.#control();
      else if (found === DATA && this.isOpen) {
        this.#decoder.decode(this.frames.bytes, this.frames.at, this.frames.length);
      } else this.reason = 'data comes before the start frame';
      if (this.reason !== '') return false;
    }
  }

  #control(): void {
    const { control } = this.frames;
    if (control === READY && (this.#twoWay || this.isOpen)) this.reason = 'a ready frame comes twice or too late';
    else if (control === STOP && !this.isOpen) this.reason = 'a stop frame comes before the start frame';
    else if (control === READY || control === START) {
      if (!this.frames.accepts(DNSTAP_CONTENT_TYPE))
        this.reason = `the stream holds something else than ${DNSTAP_CONTENT_TYPE}`;
      else if (control === START) this.isOpen = true;
      else {
        this.#twoWay = true;
        this.#answer(controlFrame(ACCEPT, DNSTAP_CONTENT_TYPE));
      }
    } else if (control === STOP) {
      this.isOpen = false;
      this.isOver = true;
      if (this.#twoWay) this.#answer(controlFrame(FINISH));
    }
  }

  missing(): string {
    if (!this.frames.isEmpty) return 'the stream ends within a frame';
    return this.isOver && !this.isOpen ? '' : 'the stream ends without a stop frame';
  }
}

const DNSTAP: SenderProtocol = {
  name: 'dnstap',
  begin(deliver) {
    const decoder = new DnstapDecoder(deliver);
    return {
      get unreadable() {
        return decoder.unreadable;
      },
      stream: (answer) => new DnstapStream(decoder, answer),
    };
  },
};

class DnstapFile implements MessageSource {
  readonly live = false;
  readonly refused = 0;
  readonly damage: Damage[] = [];
  readonly #path: string;
  #input: ByteInput;
  #decoder: DnstapDecoder | undefined;

  constructor(path: string, input: ByteInput) {
    this.#path = path;
    this.#input = input;
  }

  get unreadable(): number {
    return this.#decoder?.unreadable ?? 0;
  }

  async messages(
    signal: AbortSignal,
    deliver: (carrier: Carrier) => void,
    ready?: () => Promise<void> | undefined,
  ): Promise<void> {
    const decoder = new DnstapDecoder(deliver);
    this.#decoder = decoder;
    const stream = new DnstapStream(decoder, () => {});
    const close = () => this.#input.close();
    signal.addEventListener('abort', close, { once: true });
    try {
      const buffer = new Uint8Array(256 * 1024);
      await this.#look(buffer);
      while (!signal.aborted) {
        const count = await this.#input.read(buffer);
        if (count === 0) break;
        if (count > 0 && !stream.push(buffer.subarray(0, count))) break;
        await (ready?.() ?? setImmediate());
      }
      const reason = stream.reason || stream.missing();
      if (reason !== '' && !signal.aborted) this.#damaged(stream, reason);
    } catch (error) {
      if (!(error instanceof BrokenInput)) throw error;
      this.#damaged(stream, error.message);
    } finally {
      signal.removeEventListener('abort', close);
      close();
    }
  }

  /** Looks for compression, and for what every stream begins with: an escape. */
  async #look(buffer: Uint8Array): Promise<void> {
    for (let isPlain = false; !isPlain; ) {
      let count = 0;
      while (count < 12) {
        const got = await this.#input.read(buffer.subarray(count, 12));
        if (got === 0) break;
        count += Math.max(0, got);
      }
      const head = buffer.slice(0, count);
      const inner = count < 4 ? undefined : uncompressed(this.#input, head);
      isPlain = inner === undefined;
      this.#input = inner ?? new Peeked(this.#input, head);
      if (isPlain && count >= 4 && head.subarray(0, 4).some((octet) => octet !== 0)) {
        throw new UserError(`${this.#path} is no dnstap file: it does not begin as Frame Streams do.`, EXIT.file);
      }
    }
  }

  #damaged(stream: DnstapStream, reason: string): void {
    this.damage.push({ file: this.#path, offset: stream.frames.offset, reason });
  }
}
