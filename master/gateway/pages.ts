/**
 * The listener's pages and the headers that keep them to themselves.
 *
 * Promise: a page loads scripts, styles and data from this master alone, runs no inline script and is framed by nobody.
 *
 * @module
 */

/** Something the listener serves as it is. */
export interface Asset {
  /** From the root, such as `/page.js`. */
  readonly path: string;
  readonly contentType: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** The path of the status page among the assets. */
export const PAGE_PATH = "/";

/** On every answer. `connect-src 'self'` covers the socket on the same host and port. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy":
    "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  // For browsers that do not know frame-ancestors.
  "x-frame-options": "DENY",
};

/**
 * On every answer over TLS: for as long as the cookie lives, the browser comes by TLS only. No subdomains: they are none
 * of ours.
 */
export const TLS_HEADERS: Readonly<Record<string, string>> = {
  "strict-transport-security": `max-age=${30 * 86_400}`,
};

/** What someone sees who is not logged in. */
export const LOGIN_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Espalier: log in</title>
<link rel="stylesheet" href="/page.css">
</head>
<body class="login">
<main>
<h1>Espalier</h1>
<p>Open the address that the master printed when it started, or paste a token from <code>tokens.json</code>
in its data folder.</p>
<form action="/login" method="post">
<label>Token <input name="token" type="password" autocomplete="off" required></label>
<button>Log in</button>
</form>
</main>
</body>
</html>
`;
