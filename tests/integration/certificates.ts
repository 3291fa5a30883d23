/**
 * Certificates for tests: an authority and a leaf that it signed, for 127.0.0.1.
 *
 * They are made for each run, since those that are kept expire. A leaf that is its own authority would be refused.
 *
 * @module
 */

/** PEM texts. */
export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Makes an authority, and a leaf for 127.0.0.1. */
export function makeCertificates(): Certificates {
  const folder = Deno.makeTempDirSync({ prefix: "espalier-tls-" });
  try {
    const at = (name: string) => `${folder}/${name}`;
    const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const days = ["-days", "2"];
    openssl(
      "req",
      "-x509",
      ...newKey,
      "-keyout",
      at("ca.key"),
      "-out",
      at("ca.pem"),
      "-subj",
      "/CN=ca",
      ...days,
    );
    openssl("req", ...newKey, "-keyout", at("leaf.key"), "-out", at("leaf.csr"), "-subj", "/CN=leaf");
    Deno.writeTextFileSync(at("leaf.ext"), "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n");
    const signed = [
      "-CA",
      at("ca.pem"),
      "-CAkey",
      at("ca.key"),
      "-CAcreateserial",
      "-extfile",
      at("leaf.ext"),
    ];
    openssl("x509", "-req", "-in", at("leaf.csr"), "-out", at("leaf.pem"), ...signed, ...days);
    const read = (name: string) => Deno.readTextFileSync(at(name));
    return { ca: read("ca.pem"), cert: read("leaf.pem"), key: read("leaf.key") };
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function openssl(...args: readonly string[]): void {
  const { success, stderr } = new Deno.Command("openssl", { args: [...args] }).outputSync();
  if (!success) throw new Error(`openssl ${args[0]}: ${new TextDecoder().decode(stderr)}`);
}
