import { hostname } from 'node:os';
import type { Socket } from 'node:net';
import { group, text, type ValueOf } from '../core/settings.ts';
import {
  ACCEPT,
  BROKEN,
  CONTROL,
  controlFrame,
  DNSTAP_CONTENT_TYPE,
  FINISH,
  FrameStreams,
  NOTHING,
  READY,
  START,
  STOP,
} from '../wire/frame-streams.ts';
import { Delivery } from './delivery.ts';
import { DnstapWriter } from './dnstap-payload.ts';
import { type PeerProtocol, peerSetting, StreamPeer, TLS_SETTINGS } from './peer.ts';
import { COMMON, NETWORK, type SinkDefinition } from './sink.ts';

const settings = group(
  'dnstap over Frame Streams, with the handshake of both sides: each query and response a payload.',
  {
    to: peerSetting(['unix', 'tcp', 'tls'], 'unix:/run/collector/dnstap.sock'),
    identity: text('Who we say we are; absent: the sensor.', { example: 'sensor-1' }),
    ...TLS_SETTINGS,
    ...NETWORK,
    ...COMMON,
  },
);

/** Queries and responses as dnstap to a collector. */
export const dnstapSink: SinkDefinition<ValueOf<typeof settings>> = {
  settings,
  open(options, context) {
    const utf8 = new TextEncoder();
    const writer = new DnstapWriter({
      identity: utf8.encode(options.identity ?? context.sensor ?? hostname()),
      version: utf8.encode(`nametap ${context.version}`),
      vantage: context.vantage,
    });
    const { to, tls } = options;
    const peer = new StreamPeer(to, {
      ...(tls !== undefined && { tls }),
      protocol: FRAME_STREAMS,
      lost: () => delivery.retry(),
    });
    const delivery: Delivery = new Delivery(
      peer,
      (out) => (batch, row, ends) => {
        writer.write(batch, row, out, ends);
        return true;
      },
      context,
      options,
    );
    return delivery;
  },
};

/** The sender's side: READY → ACCEPT, START … STOP → FINISH. */
const FRAME_STREAMS: PeerProtocol = {
  async greet(socket) {
    socket.write(controlFrame(READY, DNSTAP_CONTENT_TYPE));
    await answer(socket, ACCEPT);
    socket.write(controlFrame(START, DNSTAP_CONTENT_TYPE));
  },
  async farewell(socket) {
    socket.write(controlFrame(STOP));
    await answer(socket, FINISH);
  },
};

/** Waits for a control frame; rejects at anything else. */
function answer(socket: Socket, wanted: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const frames = new FrameStreams();
    const settle = (error?: Error) => {
      socket.off('data', onData);
      socket.off('close', onClose);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onClose = () => settle(new Error('the receiver closed it'));
    const onData = (bytes: Uint8Array) => {
      frames.push(bytes);
      const found = frames.next();
      if (found === NOTHING) return;
      if (found === BROKEN) return settle(new Error(`the answer is no Frame Streams: ${frames.reason}`));
      if (found !== CONTROL || frames.control !== wanted) return settle(new Error('the receiver answered out of turn'));
      if (wanted === ACCEPT && !frames.accepts(DNSTAP_CONTENT_TYPE)) {
        return settle(new Error(`the receiver does not take ${DNSTAP_CONTENT_TYPE}`));
      }
      return settle();
    };
    socket.on('data', onData);
    socket.on('close', onClose);
    socket.resume();
  });
}
