import { HTTPException } from 'hono/http-exception';
import { UserError } from '../core/errors.ts';
import { FilterError } from '../filter/errors.ts';
import { safeText } from '../rr/value.ts';
import type { Problem } from './schema/common.ts';

const TITLES: Readonly<Record<number, string>> = {
  400: 'The request is wrong',
  401: 'Sign in first',
  403: 'Not allowed',
  404: 'There is no such thing',
  405: 'The method does not fit',
  409: 'It is there already',
  411: 'The length is missing',
  413: 'The request is too large',
  415: 'This kind of content is not taken',
  421: 'Wrong host',
  422: 'This cannot be asked',
  429: 'Too many requests',
  500: 'nametap failed',
  503: 'Not ready',
};

/** A request that is answered with a problem (RFC 9457); thrown by handlers, written in one place. */
export class ProblemError extends Error {
  readonly problem: Problem;
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    detail: string,
    more: Partial<Pick<Problem, 'at' | 'suggestion' | 'parameter' | 'title'>> = {},
    headers: Record<string, string> = {},
  ) {
    super(detail);
    this.name = 'ProblemError';
    this.problem = { type: 'about:blank', title: TITLES[status] ?? 'Problem', status, detail, ...more };
    this.headers = headers;
  }
}

/** The problem of anything thrown. What is not meant for users is told without its details. */
export function problemOf(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof FilterError) return filterProblem(error);
  if (error instanceof HTTPException) return new ProblemError(error.status, `${error.message}.`);
  if (error instanceof UserError) return new ProblemError(422, error.message);
  return new ProblemError(500, 'The cause is in the log, under the number of this request.');
}

function filterProblem(error: FilterError): ProblemError {
  const near = /Did you mean (.+?)\?/.exec(error.reason);
  return new ProblemError(400, error.reason, {
    title: 'The filter is wrong',
    parameter: 'f',
    at: { offset: error.at, length: error.length },
    ...(near !== null && { suggestion: near[1] }),
  });
}

/** As it goes over the wire. */
export function problemResponse({ problem, headers }: ProblemError, request?: string): Response {
  // Problems repeat what was asked, and are read in terminals too.
  const texts = Object.entries(problem).map(([key, value]) => [
    key,
    typeof value === 'string' ? safeText(value) : value,
  ]);
  const body = JSON.stringify({ ...Object.fromEntries(texts), ...(request !== undefined && { request }) });
  return new Response(body, {
    status: problem.status,
    headers: { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store', ...headers },
  });
}
