/**
 * What a report tells of, as a number: 0 for a measurement, else a sum of these.
 *
 * @module
 */

/** The last is added where the lease was given up: its checkpoint is none to go on from. */
export const REPORT_OF = { checkpoint: 1, file: 2, lease_given_up: 4 } as const;
