// A real OpenID Connect provider for the tests: `oidc-provider` with its own pages for signing in and for consent.
//
//   node provider.mjs ORIGIN-OF-THE-CATALOG [PORT]
//
// It prints its address, then obeys one JSON object a line from its standard input, answering each with a line, and ends
// when that is closed. `people` is who can sign in, by subject; `fault` spoils what the provider says from then on.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto; // before Node 20
const { Provider } = await import("oidc-provider");
const { SignJWT, UnsecuredJWT, decodeJwt, exportJWK, generateKeyPair } = await import("jose");

const [catalog, port = "0"] = process.argv.slice(2);
const SECRET = "a secret between the catalog and its provider";
const KEY = `key-${process.pid}`;

let people = {};
let fault = null;
let requests = [];

const server = createServer();
await new Promise((ready) => server.listen(Number(port), "127.0.0.1", ready));
const issuer = `http://127.0.0.1:${server.address().port}`;

const own = await generateKeyPair("RS256", { extractable: true });
const foreign = await generateKeyPair("RS256", { extractable: true });

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "gazetteer",
      client_secret: SECRET,
      redirect_uris: [`${catalog}/sign-in/oidc/callback`],
    },
  ],
  jwks: { keys: [{ ...(await exportJWK(own.privateKey)), kid: KEY, alg: "RS256", use: "sig" }] },
  cookies: { keys: ["cookies of a test"] },
  claims: {
    openid: ["sub"],
    profile: ["name", "preferred_username"],
    email: ["email", "email_verified"],
    groups: ["groups"],
  },
  pkce: { required: () => true },
  findAccount: (_, sub) => people[sub] && { accountId: sub, claims: () => ({ sub, ...people[sub] }) },
  ttl: { AccessToken: 60, AuthorizationCode: 60, Grant: 600, IdToken: 60, Interaction: 600, Session: 600 },
});

// What a provider might say that went wrong, or that somebody in between has changed.
const faults = {
  unsigned: (claims) => new UnsecuredJWT(claims).encode(),
  "signed-with-the-secret": (claims) =>
    new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(SECRET)),
  forged: (claims) => sign(claims, foreign.privateKey),
  expired: (claims) => sign({ ...claims, iat: claims.iat - 7200, exp: claims.iat - 3600 }),
  "other-audience": (claims) => sign({ ...claims, aud: "somebody-else" }),
  "another-audience-too": (claims) => sign({ ...claims, aud: ["gazetteer", "somebody-else"], azp: "gazetteer" }),
  "for-another-party": (claims) => sign({ ...claims, aud: ["gazetteer", "somebody-else"], azp: "somebody-else" }),
  "other-issuer": (claims) => sign({ ...claims, iss: "https://elsewhere.example" }),
  "other-nonce": (claims) => sign({ ...claims, nonce: "another" }),
  "no-nonce": ({ nonce, ...claims }) => sign(claims),
  "other-access-token": (claims) => sign({ ...claims, at_hash: "AAAAAAAAAAAAAAAAAAAAAA" }),
};

function sign(claims, key = own.privateKey) {
  return new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: KEY }).sign(key);
}

provider.use(async (ctx, next) => {
  requests.push({ path: ctx.path, id: ctx.get("x-request-id") });
  await next();
  if (ctx.path === "/token" && ctx.body?.id_token && faults[fault]) {
    ctx.body = { ...ctx.body, id_token: await faults[fault](decodeJwt(ctx.body.id_token)) };
  }
  if (ctx.path === "/me" && fault === "other-person") {
    ctx.body = { ...ctx.body, sub: "somebody-else" };
  }
  if (ctx.path === "/.well-known/openid-configuration" && fault === "other-description") {
    ctx.body = { ...ctx.body, issuer: "https://elsewhere.example" };
  }
  if (ctx.path === "/.well-known/openid-configuration" && fault === "broken") {
    ctx.status = 500;
  }
});
server.on("request", provider.callback());
console.log(issuer);

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  if ("people" in order) ({ people } = order);
  if ("fault" in order) ({ fault } = order);
  console.log(JSON.stringify({ requests }));
  requests = [];
}
process.exit();
