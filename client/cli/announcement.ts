/**
 * What a master says of itself when it has started.
 *
 * @module
 */

/** What there is to say. */
export interface Announced {
  /** Reached from this machine. */
  readonly url: string;
  /** Reached from others, where that is another address. */
  readonly elsewhere: string | undefined;
  /** Logs a browser in. */
  readonly login: string;
  readonly dataFolder: string;
}

/** The same in lines for people; workers are to get their own token and no other. */
export function announcementOf({ url, elsewhere, login, dataFolder }: Announced): string {
  return [
    `master      ${url}`,
    ...(elsewhere === undefined ? [] : [`elsewhere   ${elsewhere}`]),
    `status page ${login}`,
    `data        ${dataFolder}`,
    `add workers espalier worker --master ${elsewhere ?? url} --token-file worker.token`,
    `            worker.token: a file with the value of "worker" in ${dataFolder}/tokens.json and nothing else`,
  ].join("\n");
}

/**
 * The address for other machines of a master that listens on every address of this one; undefined for any other.
 *
 * @param url for this machine; @param bind what it listens on; @param hostname this machine's
 */
export function urlElsewhere(url: string, bind: string, hostname: string): string | undefined {
  if (bind !== "0.0.0.0" && !/^[0:]*::[0:]*$/.test(bind)) return undefined;
  const elsewhere = new URL(url);
  elsewhere.hostname = hostname;
  return elsewhere.origin;
}
