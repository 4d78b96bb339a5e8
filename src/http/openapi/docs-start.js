// No request to anywhere else: no fonts, no proxy, no telemetry, no agent.
globalThis.Scalar.createApiReference('#docs', {
  url: '/openapi.json',
  baseServerURL: globalThis.location.origin,
  theme: 'none',
  layout: 'modern',
  withDefaultFonts: false,
  telemetry: false,
  showDeveloperTools: 'never',
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  defaultOpenAllTags: false,
  persistAuth: false,
  documentDownloadType: 'json',
  defaultHttpClient: { targetKey: 'shell', clientKey: 'curl' },
  authentication: { preferredSecurityScheme: 'bearer' },
});
