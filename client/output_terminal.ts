/**
 * What evaluators print, made harmless for a terminal.
 *
 * Promise: text, line breaks, tabs, carriage returns and colours stay; whatever else steers a terminal (the cursor, the
 * title, the clipboard, what is typed next) is shown as `�`, also where it is cut over pieces. Bytes that are no UTF-8 are
 * shown so too.
 *
 * Trials run code of others, and its words are read on the screen of someone with more rights: a terminal must not obey
 * them. What is read by a pipe is passed on untouched.
 *
 * @module
 */

/** Colours: `ESC [`, numbers, `m`. */
// deno-lint-ignore no-control-regex
const COLOUR_OR_CONTROL = /\x1b\[[0-9;:]{0,64}m|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;
/** A colour that may go on in the next piece. */
// deno-lint-ignore no-control-regex
const BEGUN = /\x1b(?:\[[0-9;:]{0,64})?$/;

/** Cleans one stream. */
export class TerminalFilter {
  readonly #decoder = new TextDecoder();
  #begun = "";

  /** The next piece, as far as it is known what it means. */
  clean(data: Uint8Array): string {
    const text = this.#begun + this.#decoder.decode(data, { stream: true });
    const begun = BEGUN.exec(text);
    this.#begun = begun === null ? "" : begun[0];
    return harmless(begun === null ? text : text.slice(0, begun.index));
  }

  /** What was held back. */
  end(): string {
    const text = this.#begun + this.#decoder.decode();
    this.#begun = "";
    return harmless(text);
  }
}

function harmless(text: string): string {
  return text.replace(COLOUR_OR_CONTROL, (found) => found.length > 1 ? found : "\ufffd");
}
