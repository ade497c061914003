/** A component described as data: flags, help, completion, the manual and the reference page derive from it. */
export interface OptionDefinition {
  /** Long name without dashes: `interface`. */
  name: string;
  /** One letter: `i`. */
  letter?: string;
  /** Name of its value in help (`FILE`); absent = a switch. */
  value?: string;
  /** Lower case, no full stop. */
  summary: string;
  /** May be given several times. */
  many?: boolean;
  /** Text of the default, as the user would type it. */
  default?: string;
  /** Closed list of values. */
  choices?: readonly string[];
}

/** Values of options by long name: string, string[] (`many`) or true; absent = not given and no default. */
export type OptionValues = Readonly<Record<string, string | string[] | boolean | undefined>>;

export interface CommandDefinition {
  name: string;
  /** One line, lower case, no full stop. */
  summary: string;
  /** Usage of the words behind the options, such as `FILE…`; `args` in run. */
  arguments?: { name: string; summary: string; many?: boolean; optional?: boolean };
  options: readonly OptionDefinition[];
  /** Lines `command  # what it does` for help and manual. */
  examples?: readonly string[];
  /** Runs and resolves with the exit code; throws UserError. */
  run(args: string[], options: OptionValues): Promise<number>;
}
