// namec cert: an authority of one's own, and certificates of it for a server and its clients. Each party has a
// directory as --tls wants it: ca.pem, cert.pem, key.pem. The authority's key stays in DIR/authority.
//
// The library that writes certificates is loaded by this command alone, when it makes one.

import { X509Certificate } from "node:crypto";
import type { webcrypto } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import type * as X509 from "@peculiar/x509";
import { Usage } from "./command.ts";
import type { Command, Given } from "./command.ts";
import { Loaderror } from "./load.ts";
import { reason } from "./outfile.ts";

/** The directory of the authority, and that of a server. */
const AUTHORITY = "authority";
const SERVER = "server";
/** Names that a server has on its own machine. */
const HERE: readonly string[] = ["localhost", "127.0.0.1", "::1"];
const USER = "glenda";
const DAYS = 365;
/** The authority outlives what it signs. */
const CADAYS = 3650;
const DAY = 86_400_000;
/** Clocks of two machines differ: a certificate is valid from an hour ago. */
const EARLIER = 3_600_000;

const KEYS: webcrypto.EcKeyGenParams = { name: "ECDSA", namedCurve: "P-256" };
const SIGNS: webcrypto.EcdsaParams = { name: "ECDSA", hash: "SHA-256" };

export const cert: Command = {
  name: "cert",
  usage: "DIR [options]",
  brief: "make certificates for --tls: an authority, a server's, and one for each user",
  about: `Makes, in DIR,

    authority/   ca.pem, and ca.key.pem that signs the others: keep it to yourself
    server/      for serve --tls DIR/server
    NAME/        for run --tls DIR/NAME: the user NAME; one for each --user

each of the last two with ca.pem, cert.pem and key.pem. An authority that is there is used; a
certificate that is there is renewed, and a server that runs uses it for its next connections.
Copy NAME/ to the machine of that user, by a way that you trust.`,
  options: [
    {
      name: "host",
      values: ["NAME"],
      text: "a name or address that clients dial the server by, beside localhost; may be repeated",
    },
    {
      name: "user",
      values: ["NAME"],
      text: `a user who may come in (default ${USER}); may be repeated`,
    },
    { name: "days", values: ["N"], text: `how long the certificates are valid (default ${DAYS})` },
  ],
  examples: [
    "namec cert certs --host fs.example.org --user glenda --user rob",
    "namec serve ramfs --listen 'tls!*!5640' --tls certs/server",
    "namec run --tls certs/glenda --mount 'tls!localhost!5640' /n/remote ls /n/remote",
  ],
  mixed: true,
  run: start,
};

/** An authority: its certificate, and the key that signs. */
type Authority = { readonly pem: string; readonly key: webcrypto.CryptoKey };

async function start(given: Given): Promise<number> {
  const [dir, extra] = given.rest;
  if (dir === undefined) throw new Usage("no directory is named", "namec cert DIR");
  if (extra !== undefined) throw new Usage(`${extra} is too much: one directory at a time`);
  const users = given.has("user") ? given.all("user").map(([name = ""]) => username(name)) : [USER];
  const hosts = given.all("host").map(([name = ""]) => hostname(name));
  const days = daysof(given);
  // The library's own dependencies look for decorators' metadata as they load.
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  try {
    const ca = await authority(x509, join(dir, AUTHORITY));
    await party(x509, ca, {
      dir: join(dir, SERVER),
      name: SERVER,
      days,
      hosts: [...HERE, ...hosts],
    });
    for (const name of users)
      await party(x509, ca, { dir: join(dir, name), name, days, hosts: [] });
  } catch (e) {
    if (e instanceof Error && "code" in e) throw new Loaderror(`${dir}: ${reason(e)}`);
    throw e;
  }
  return 0;
}

/** A name of a user that is the name of a directory, too. */
function username(name: string): string {
  if (name === AUTHORITY || name === SERVER)
    throw new Usage(`--user ${name}: that directory is the ${name}'s`);
  if (/^[^\p{Cc}\s/]{1,64}$/u.test(name) && !/^\.\.?$/.test(name)) return name;
  throw new Usage(`--user ${name}: a name has 1 to 64 letters, without blanks and /`);
}

function hostname(name: string): string {
  const bare = name.replace(/^\[(.*)\]$/, "$1");
  if (isIP(bare) > 0 || /^(\*\.)?[\w-]+(\.[\w-]+)*$/.test(bare)) return bare;
  throw new Usage(`--host ${name}: a name such as fs.example.org, or an address`);
}

function daysof(given: Given): number {
  const text = given.get("days") ?? String(DAYS);
  if (/^[1-9]\d{0,3}$/.test(text) && Number(text) <= CADAYS) return Number(text);
  throw new Usage(`--days ${text}: a number from 1 to ${CADAYS}`);
}

/** The authority of a directory, which is made where there is none. */
async function authority(x509: typeof X509, dir: string): Promise<Authority> {
  const [pemfile, keyfile] = [join(dir, "ca.pem"), join(dir, "ca.key.pem")];
  const there = existing(pemfile);
  if (there !== null) {
    const [der] = x509.PemConverter.decode(readFileSync(keyfile, "latin1"));
    if (der === undefined) throw new Loaderror(`${keyfile} holds no key`);
    const key = await crypto.subtle.importKey("pkcs8", der, KEYS, true, ["sign"]);
    return { pem: there, key };
  }
  const keys = await crypto.subtle.generateKey(KEYS, true, ["sign", "verify"]);
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: [{ CN: ["namec authority"] }],
    ...valid(CADAYS),
    signingAlgorithm: SIGNS,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const pem = `${made.toString("pem")}\n`;
  put(dir, { "ca.key.pem": await keypem(x509, keys.privateKey), "ca.pem": pem });
  return { pem, key: keys.privateKey };
}

/** Someone who gets a certificate: a server if it has hosts, else a user. */
type Party = {
  readonly dir: string;
  readonly name: string;
  readonly days: number;
  readonly hosts: readonly string[];
};

async function party(x509: typeof X509, ca: Authority, p: Party): Promise<void> {
  const keys = await crypto.subtle.generateKey(KEYS, true, ["sign", "verify"]);
  const issuer = new x509.X509Certificate(ca.pem);
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  const purpose = p.hosts.length > 0 ? serverAuth : clientAuth;
  const names = p.hosts.map((value) => ({
    type: isIP(value) > 0 ? ("ip" as const) : ("dns" as const),
    value,
  }));
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: [{ CN: [p.name] }],
    issuer: issuer.subjectName,
    ...valid(p.days),
    signingAlgorithm: SIGNS,
    publicKey: keys.publicKey,
    signingKey: ca.key,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([purpose]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  const pem = `${made.toString("pem")}\n`;
  put(p.dir, { "key.pem": await keypem(x509, keys.privateKey), "cert.pem": pem, "ca.pem": ca.pem });
  const { validTo } = new X509Certificate(pem);
  const what = p.hosts.length > 0 ? `server, as ${p.hosts.join(", ")}` : `user ${p.name}`;
  process.stdout.write(`${p.dir}: ${what}, until ${validTo}\n`);
}

/** 127 random bits: two certificates of an authority never have one number. */
function serial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return Buffer.from(bytes).toString("hex");
}

/** From a little before now, for so many days. */
function valid(days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - EARLIER), notAfter: new Date(now + days * DAY) };
}

async function keypem(x509: typeof X509, key: webcrypto.CryptoKey): Promise<string> {
  const der = await crypto.subtle.exportKey("pkcs8", key);
  return `${x509.PemConverter.encode(der, "PRIVATE KEY")}\n`;
}

function existing(file: string): string | null {
  try {
    return readFileSync(file, "latin1");
  } catch (e) {
    if (e instanceof Error && "code" in e && e.code === "ENOENT") return null;
    throw e;
  }
}

/** Writes files of a directory, keys for its owner alone; each is whole when it is there. */
function put(dir: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  for (const [name, text] of Object.entries(files)) {
    const fresh = join(dir, `${name}.new`);
    writeFileSync(fresh, text, { mode: name.includes("key") ? 0o600 : 0o644 });
    renameSync(fresh, join(dir, name));
  }
}
