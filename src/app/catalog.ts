import { UserError } from '../core/errors.ts';
import { OUTPUTS } from '../sinks/index.ts';
import { type OutputFormat, type OutputUnit, unitsOf } from '../sinks/output.ts';

/** What one line may be. */
export type Unit = OutputUnit;

/** Names of the output formats, in the order of the manual. */
export function outputNames(): string[] {
  return OUTPUTS.map(({ name }) => name);
}

/** The format of a name and what its lines are. Throws UserError when there is none, or it cannot show the unit. */
export function outputFor(name: string, wanted?: Unit): { format: OutputFormat; unit: Unit } {
  const format = OUTPUTS.find((one) => one.name === name);
  if (format === undefined) {
    throw new UserError(`There is no output format "${name}". There are ${outputNames().join(', ')}.`);
  }
  const unit = wanted ?? format.unit;
  if (unitsOf(format).includes(unit)) return { format, unit };
  throw new UserError(`-T ${name} has no lines of unit ${unit}, only of ${unitsOf(format).join(' or ')}.`);
}
