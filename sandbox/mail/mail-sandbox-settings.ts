import { z } from 'zod';
import type { MailSandboxOptions } from './mail-sandbox.ts';

const port = z.coerce.number().pipe(z.int().min(0).max(65_535));
const environmentSchema = z.object({
  ENV: z
    .string()
    .refine((env) => env !== 'production', 'the sandbox never runs in production: no mail leaves it')
    .optional(),
  SANDBOX_HOST: z.string().default('127.0.0.1'),
  MAIL_SANDBOX_SMTP_PORT: port.default(2525),
  MAIL_SANDBOX_PAGE_PORT: port.default(4243),
  MAIL_SANDBOX_FOLDER: z.string().optional(),
});

/** What the process that stands alone is told by its environment. Throws one error that names everything wrong. */
export function readMailSandboxSettings(environment: NodeJS.ProcessEnv): MailSandboxOptions {
  // a line `NAME=` of an .env file says nothing
  const said = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const read = environmentSchema.safeParse(said);
  if (!read.success) throw new Error(`the mail sandbox cannot start: ${z.prettifyError(read.error)}`);
  const { SANDBOX_HOST, MAIL_SANDBOX_SMTP_PORT, MAIL_SANDBOX_PAGE_PORT, MAIL_SANDBOX_FOLDER } = read.data;
  return {
    host: SANDBOX_HOST,
    smtpPort: MAIL_SANDBOX_SMTP_PORT,
    httpPort: MAIL_SANDBOX_PAGE_PORT,
    ...(MAIL_SANDBOX_FOLDER !== undefined && { folder: MAIL_SANDBOX_FOLDER }),
  };
}
