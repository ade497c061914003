/**
 * Follows the live tail of a nametap (run in its network namespace): one JSON line `{arrived, names, times}` for each
 * event with rows, until it is killed. Arguments: the data folder.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [data] = process.argv.slice(2);
const { url } = JSON.parse(readFileSync(join(data, 'serve.json'), 'utf8')) as { url: string };
const token = readFileSync(join(data, 'token'), 'utf8').trim();
const headers = { Authorization: `Bearer ${token}`, Accept: 'text/event-stream' };
const response = await fetch(`${url}/api/v1/tail?rate=1000`, { headers });
if (response.body === null) throw new Error(`no stream: ${response.status}`);
process.stdout.write(`${JSON.stringify({ status: response.status })}\n`);
let text = '';
for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
  text += chunk;
  const events = text.split('\n\n');
  text = events.pop() ?? '';
  for (const event of events) {
    if (/^event: rows$/m.exec(event) === null) continue;
    const { rows } = JSON.parse(/^data: (.*)$/m.exec(event)?.[1] ?? '{}') as { rows: { name: string; time: string }[] };
    if (rows.length === 0) continue;
    const line = { arrived: Date.now(), names: rows.map(({ name }) => name), times: rows.map(({ time }) => time) };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
}
