// npm's oidc-provider with one client and any login: its name is the person's. For tests alone.
// node provider.mjs REDIRECT... ; prints the issuer's address and answers until it is ended.

import { createServer } from "node:http";
import Provider from "oidc-provider";

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: "tickhouse", client_secret: "a secret of the client", redirect_uris: process.argv.slice(2),
    }],
    cookies: { keys: ["of a test"] },
    pkce: { required: () => true },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["preferred_username"] },
    conformIdTokenClaims: false,
    extraTokenClaims: (_, token) => ({ preferred_username: token.accountId }),
    features: {
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => [],
        useGrantedResource: () => true,
        getResourceServerInfo: (_, resource) => ({
          scope: "openid", audience: resource, accessTokenFormat: "jwt", accessTokenTTL: 600,
        }),
      },
    },
    findAccount: (_, sub) => ({
      accountId: sub,
      claims: () => ({ sub, email: sub, email_verified: !sub.startsWith("unverified"), preferred_username: sub }),
    }),
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
