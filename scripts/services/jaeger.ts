import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { goProgram } from './go-tools.ts';
import { freePorts } from './free-port.ts';

export interface JaegerService {
  /** OTLP over HTTP, for `telemetry.endpoint`. */
  readonly address: string;
  /** Where it is asked for traces. */
  readonly api: string;
  stop(): Promise<void>;
}

/** Starts Jaeger (the last all-in-one of version 1, built once from its Go module: minutes), traces in memory, without its page. */
export async function start(): Promise<JaegerService> {
  const program = goProgram('jaeger', 'github.com/jaegertracing/jaeger', 'v1.76.0', 'cmd/all-in-one');
  const ports = await freePorts(9);
  const [otlp, query, ...others] = ports.map((port) => `127.0.0.1:${port}`);
  const words = [`--collector.otlp.http.host-port=${otlp}`, `--query.http-server.host-port=${query}`];
  const rest = [
    'collector.otlp.grpc',
    'collector.grpc-server',
    'collector.http-server',
    'admin.http',
    'query.grpc-server',
    'collector.zipkin',
  ];
  rest.forEach((name, i) => words.push(`--${name}.host-port=${others[i]}`));
  const child = spawn(program, words, {
    stdio: 'ignore',
    env: { SPAN_STORAGE_TYPE: 'memory', PATH: process.env.PATH },
  });
  const ended = once(child, 'exit');
  const api = `http://${query}`;
  for (let i = 0; ; i++) {
    if (child.exitCode !== null || i === 200) throw new Error(`jaeger did not start (${child.exitCode})`);
    const answers = await fetch(`${api}/api/services`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (answers) break;
    await sleep(100);
  }
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  return { address: `http://${otlp}`, api, stop };
}
