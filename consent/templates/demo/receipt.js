// Reads a receipt and checks it with nothing but the browser's own WebCrypto and the service's published keys.
// Its rule: whatever cannot be checked is said to be unchecked, never to be true.

const FLAW = "This browser cannot check it here:";

/** @param {string} text base64url */
const bytes = text => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), one => one.charCodeAt(0));

/** @param {string} text base64url of JSON */
const json = text => JSON.parse(new TextDecoder().decode(bytes(text)));

/**
 * The parts of a receipt, a JWS in compact form (RFC 7515, section 3.1).
 * @param {string} token
 */
export function decode(token) {
  const [header, claims, signature] = token.split(".");
  return { token, header: json(header), claims: json(claims), signed: `${header}.${claims}`, signature: bytes(signature) };
}

/**
 * Every check of a receipt, as [what it says, whether it holds]. Throws a sentence where the browser cannot check.
 * @param {ReturnType<typeof decode>} receipt
 * @param {{jwks: string, site: string, state: any}} parts
 * @returns {Promise<[string, boolean][]>}
 */
export async function verify(receipt, { jwks, site, state }) {
  const { header, claims } = receipt;
  const key = await published(jwks, header.kid);
  return [
    ["The service publishes the key it names", !!key],
    ["The Ed25519 signature fits that key and every word", !!key && (await holds(receipt, key))],
    ["It was made for this site and this browser", claims.aud == site && claims.sub == state.subject],
    ["It says what this page acts on", agrees(claims.consent, state)],
    ["It has not lapsed", claims.exp * 1000 > Date.now()],
  ];
}

/** The key with an id among the published ones (RFC 7517). @param {string} jwks @param {string} kid */
async function published(jwks, kid) {
  const answer = await fetch(jwks).catch(() => null);
  if (!answer?.ok) throw "The public keys cannot be fetched now, so it is not checked.";
  return (await answer.json()).keys.find(key => key.kid == kid);
}

/** @param {ReturnType<typeof decode>} receipt @param {JsonWebKey} key */
async function holds({ header, signed, signature }, { kty, crv, x }) {
  if (!globalThis.crypto?.subtle) throw `${FLAW} WebCrypto works on https and localhost only.`;
  if (!["EdDSA", "Ed25519"].includes(header.alg)) return false;
  const publicKey = await crypto.subtle.importKey("jwk", { kty, crv, x }, "Ed25519", false, ["verify"]).catch(unable);
  return crypto.subtle.verify("Ed25519", publicKey, signature, new TextEncoder().encode(signed));
}

/** @param {DOMException} error */
function unable(error) {
  if (error.name != "NotSupportedError") throw "The published key cannot be read, so it is not checked.";
  throw `${FLAW} its WebCrypto has no Ed25519 (Chrome and Edge from 137, Firefox from 129, Safari from 17 have it).`;
}

/** @param {{grants: object}} consent @param {{grants: object}} state */
const agrees = ({ grants }, state) => Object.entries(grants).every(([id, granted]) => state.grants[id] === granted);
