/**
 * Names in a store's folder.
 *
 * @module
 */

/** The SQLite file; its log and its shared index stand beside it. */
export const DATABASE_FILE = "espalier.db";
