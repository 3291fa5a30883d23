/**
 * Where the master may listen, and what to say when it cannot.
 *
 * @module
 */
import { isLoopback } from "../../shared/platform/plain_text.ts";

/** Why there is no listener, for the person who started the master. */
export interface ListenError {
  readonly code: "insecure_bind" | "port_in_use" | "bad_address" | "bad_certificate" | "not_permitted";
  readonly message: string;
  readonly advice: string;
}

/** Where to listen. */
export interface Bind {
  readonly hostname: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** PEM texts. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Binds beyond loopback without TLS. */
  readonly insecure?: boolean;
}

/** Why one should not listen there. */
export function bindProblem({ hostname, tls, insecure }: Bind): ListenError | undefined {
  if (isLoopback(hostname) || tls !== undefined || insecure === true) return undefined;
  return {
    code: "insecure_bind",
    message: `${hostname} can be reached from other machines, and tokens would travel there in the clear`,
    advice: "give a certificate (--tls-cert and --tls-key), or say --insecure if the network is your own",
  };
}

/** Why listening there failed. */
export function startProblem(error: unknown, { hostname, port, tls }: Bind): ListenError {
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof Deno.errors.AddrInUse) {
    return {
      code: "port_in_use",
      message: `port ${port} of ${hostname} is in use`,
      advice: "another master may be running: end it, or choose another port with --port",
    };
  }
  if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
    return {
      code: "not_permitted",
      message: `port ${port} of ${hostname} may not be used: ${reason}`,
      advice: "ports below 1024 need rights of their own: choose another one with --port",
    };
  }
  if (error instanceof Deno.errors.AddrNotAvailable || tls === undefined) {
    return {
      code: "bad_address",
      message: `${hostname}:${port} cannot be listened on: ${reason}`,
      advice: "name an address of this machine with --host",
    };
  }
  return {
    code: "bad_certificate",
    message: `the certificate or its key cannot be used: ${reason}`,
    advice: "both are PEM files; the key must belong to the certificate",
  };
}

/** The host with which this machine reaches itself over a bind: nobody can connect to a wildcard. */
export function hereOf(hostname: string): string {
  if (isWildcard(hostname)) return hostname.includes(":") ? "::1" : "127.0.0.1";
  return hostname;
}

function isWildcard(hostname: string): boolean {
  return hostname === "0.0.0.0" || /^[0:]*::[0:]*$/.test(hostname);
}
