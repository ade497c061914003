import { reasonIn, type SearchService } from './opensearch-http.ts';

/** How documents are laid out over indices. */
export interface IndexPlan {
  /** Name of the data stream, or what the names of daily indices begin with. */
  name: string;
  layout: 'data_stream' | 'daily';
  /** Milliseconds until an index is deleted. */
  keepMs: number;
  shards: number;
  replicas: number;
}

const keyword = { type: 'keyword', ignore_above: 1024 } as const;
const ip = { type: 'ip', ignore_malformed: true } as const;
const long = { type: 'long' } as const;
const endpoint = { properties: { ip, port: long, bytes: long } } as const;
const record = { properties: { name: keyword, type: keyword, class: keyword, ttl: long, data: keyword } } as const;

/**
 * Fields of the documents (ECS): what is counted and compared has its type, every other text is a keyword. Nothing is
 * analysed as prose.
 */
export const MAPPINGS = {
  dynamic_templates: [{ texts: { match_mapping_type: 'string', mapping: keyword } }],
  date_detection: false,
  properties: {
    '@timestamp': { type: 'date_nanos' },
    event: { properties: { id: keyword, start: { type: 'date_nanos' }, end: { type: 'date_nanos' }, duration: long } },
    network: { properties: { bytes: long, community_id: keyword } },
    source: endpoint,
    client: endpoint,
    destination: endpoint,
    server: endpoint,
    related: { properties: { ip, hosts: keyword } },
    dns: {
      properties: {
        id: keyword,
        question: { properties: { name: keyword, registered_domain: keyword, subdomain: keyword } },
        answers: record,
        authorities: record,
        additionals: record,
        answers_count: long,
        authorities_count: long,
        additionals_count: long,
        resolved_ip: ip,
        opt: { properties: { udp_size: long, ext_rcode: long, do: { type: 'boolean' } } },
      },
    },
  },
} as const;

/** The index template (composable, both products). */
export function indexTemplate({ name, layout, shards, replicas }: IndexPlan, product: Product): object {
  const policy =
    product === 'elasticsearch'
      ? { 'index.lifecycle.name': name }
      : // ISM finds its indices by patterns in the policy.
        {};
  return {
    index_patterns: [layout === 'data_stream' ? name : `${name}-*`],
    // Above the templates that the products bring for logs-*-*.
    priority: 300,
    ...(layout === 'data_stream' && { data_stream: {} }),
    template: {
      settings: {
        'index.number_of_shards': shards,
        'index.number_of_replicas': replicas,
        'index.codec': 'best_compression',
        'index.refresh_interval': '5s',
        ...policy,
      },
      mappings: MAPPINGS,
    },
    _meta: { description: 'DNS transactions of nametap in the Elastic Common Schema' },
  };
}

/** Elasticsearch: roll over daily or at 50 GB, delete at the end. */
export function lifecyclePolicy({ layout, keepMs }: IndexPlan): object {
  const rollover = { rollover: { max_age: '1d', max_primary_shard_size: '50gb' } };
  return {
    policy: {
      phases: {
        hot: { actions: layout === 'data_stream' ? rollover : {} },
        delete: { min_age: `${Math.ceil(keepMs / 3_600_000)}h`, actions: { delete: {} } },
      },
    },
  };
}

/** OpenSearch: the same, as a policy of Index State Management. */
export function statePolicy({ name, layout, keepMs }: IndexPlan): object {
  const pattern = layout === 'data_stream' ? name : `${name}-*`;
  const rollover = [{ rollover: { min_index_age: '1d', min_primary_shard_size: '50gb' } }];
  const old = { state_name: 'delete', conditions: { min_index_age: `${Math.ceil(keepMs / 3_600_000)}h` } };
  return {
    policy: {
      description: 'DNS transactions of nametap: rolled over daily, deleted at the end',
      default_state: 'hot',
      states: [
        { name: 'hot', actions: layout === 'data_stream' ? rollover : [], transitions: [old] },
        { name: 'delete', actions: [{ delete: {} }], transitions: [] },
      ],
      ism_template: [{ index_patterns: [pattern], priority: 300 }],
    },
  };
}

export type Product = 'opensearch' | 'elasticsearch';

/**
 * Puts template, policy and data stream in place, where they are not. Gives what could not be done and does not matter for
 * writing. Throws what keeps documents from being written as they should.
 */
export async function setUp(service: SearchService, plan: IndexPlan, signal: AbortSignal): Promise<string[]> {
  const root = await service.ask('GET', '/', undefined, signal);
  if (root.status !== 200) throw new Error(`it answers ${root.status}: ${reasonIn(root.value)}`);
  const product = productOf(root.value);
  const remarks: string[] = [];
  const policy =
    product === 'elasticsearch'
      ? await service.ask('PUT', `/_ilm/policy/${plan.name}`, lifecyclePolicy(plan), signal)
      : await service.ask('PUT', `/_plugins/_ism/policies/${plan.name}`, statePolicy(plan), signal);
  // ISM: there already; its later versions are the operator's own.
  if (policy.status >= 400 && policy.status !== 409) {
    remarks.push(`no policy deletes old indices: ${policy.status}, ${reasonIn(policy.value)}`);
  }
  const template = await service.ask('PUT', `/_index_template/${plan.name}`, indexTemplate(plan, product), signal);
  if (template.status >= 400) throw new Error(`the index template is refused: ${reasonIn(template.value)}`);
  if (plan.layout === 'data_stream') {
    const stream = await service.ask('PUT', `/_data_stream/${plan.name}`, undefined, signal);
    const isThere = stream.status === 400 && reasonIn(stream.value).startsWith('resource_already_exists_exception');
    if (stream.status >= 400 && !isThere) throw new Error(`the data stream is refused: ${reasonIn(stream.value)}`);
  }
  return remarks;
}

function productOf(root: unknown): Product {
  const { version } = (root ?? {}) as { version?: { distribution?: unknown } };
  return version?.distribution === 'opensearch' ? 'opensearch' : 'elasticsearch';
}
