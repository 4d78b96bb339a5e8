/** mjml 5 brings no types: what is used of it. */
declare module 'mjml' {
  export interface MjmlOptions {
    validationLevel?: 'strict' | 'soft' | 'skip';
    keepComments?: boolean;
    /** Files that a document names are not read. */
    ignoreIncludes?: boolean;
    /** No `.mjmlconfig` of the working directory. */
    useMjmlConfigOptions?: boolean;
    mjmlConfigPath?: string | null;
    fonts?: Record<string, string>;
    minify?: boolean;
  }
  const mjml2html: (document: string, options?: MjmlOptions) => Promise<{ html: string; errors: unknown[] }>;
  // biome-ignore lint/style/noDefaultExport: it is theirs
  export default mjml2html;
}
