import type { CommandDefinition } from '../core/definition.ts';
export const start: CommandDefinition = { name: 'start', summary: 'x', options: [], run: async () => 0 };
