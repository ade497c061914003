import type { Exchange } from '../exchange.ts';
import type { OutputName } from '../words.ts';
import { digText, shortText } from './dig.ts';
import { dnsJsonText, rfc8427Text } from './json.ts';
import type { Look } from './look.ts';
import { prettyText } from './pretty.ts';
import { yamlText } from './yaml.ts';

/** What a result looks like, by the name of the output. */
export const OUTPUTS: Readonly<Record<OutputName, { summary: string; show(result: Exchange, look: Look): string }>> = {
  pretty: { summary: 'records in columns, and how they came', show: prettyText },
  dig: { summary: "dig's text", show: digText },
  short: { summary: 'only the data of the answers', show: shortText },
  json: { summary: 'JSON (RFC 8427), query and response', show: rfc8427Text },
  'dns-json': { summary: 'JSON as public resolvers give it', show: dnsJsonText },
  yaml: { summary: 'YAML, as dig writes it', show: yamlText },
};
