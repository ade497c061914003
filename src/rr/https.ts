import { rrType } from './define.ts';
import { serviceFields } from './svcb.ts';

export const HTTPS = rrType(65, 'HTTPS', 'RFC 9460', 'Where and how a web site is offered.', serviceFields);
