/** What an S3 says no with: its status, its code, and its words. */
export class S3Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'S3Refusal';
    this.status = status;
    this.code = code;
  }
}

export const notImplemented = (what: string) =>
  new S3Refusal(501, 'NotImplemented', `${what} implies functionality that is not implemented`);
export const invalidArgument = (message: string) => new S3Refusal(400, 'InvalidArgument', message);
export const malformedXml = () =>
  new S3Refusal(400, 'MalformedXML', 'The XML you provided was not well-formed or did not validate');
