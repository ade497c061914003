import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { trainedModule } from './names/write.ts';

const path = fileURLToPath(new URL('../src/detect/dga/weights.ts', import.meta.url));
const text = trainedModule();
writeFileSync(path, text);
process.stdout.write(`${path}: ${text.length} bytes\n`);
