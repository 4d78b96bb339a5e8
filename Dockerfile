# syntax=docker/dockerfile:1
FROM node:24-alpine AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# The optional packages are what `npm start` brings along on a bare machine: a Node and a Postgres.
RUN npm ci --omit=dev --omit=optional --no-audit --no-fund && npm cache clean --force

FROM node:24-alpine
ENV NODE_ENV=production ENV=production HOST=0.0.0.0 PORT=3000
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY . .
# Where receipts and backups go that have no bucket.
RUN mkdir -p /var/lib/twolane && chown node:node /var/lib/twolane
USER node
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD wget -q -O /dev/null "http://127.0.0.1:${PORT}/healthz" || exit 1
# The Procfile's `web`; for the other processes give their command, for example: node workers/main.ts bots
CMD ["node", "--max-semi-space-size=8", "src/server.ts"]
