/**
 * Who may be spoken to in plain text: this machine alone, unless someone insists.
 *
 * @module
 */

/** Whether only this machine can reach an address. @param hostname a name or an address, IPv6 with or without brackets */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  return host === "localhost" || host.endsWith(".localhost") || host === "::1" ||
    /^127(\.\d{1,3}){3}$/.test(host) || /^::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}$/.test(host);
}

/**
 * Why a token must not be sent to an address; undefined where it may.
 *
 * @param url of a master's socket
 * @param isInsecure whether a person said that the network is their own
 */
export function plainTextProblem(
  url: string,
  isInsecure: boolean,
): { readonly message: string; readonly advice: string } | undefined {
  const { protocol, hostname, host } = new URL(url);
  const isPlain = protocol === "ws:" || protocol === "http:";
  if (isInsecure || !isPlain || isLoopback(hostname)) return undefined;
  return {
    message: `${host} is another machine, and the token would travel there in the clear`,
    advice:
      `give the master a certificate and write https://${host}, or say --insecure if the network is your own`,
  };
}
