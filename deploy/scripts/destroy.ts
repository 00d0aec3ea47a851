/**
 * Destroys the dev stage, data and all: `npm run destroy -- dev [arguments of cdk]`. There is no such
 * command for production, and its stacks, tables and buckets would refuse.
 */
import { DeleteObjectsCommand, ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import { cdk, resourcesOf, stageArgument } from './stack.js';

const stage = stageArgument(['dev']);
// What is left in a bucket, and above all its old versions, keeps the bucket from being removed.
const s3 = new S3Client({ forcePathStyle: process.env.AWS_ENDPOINT_URL !== undefined });
for (const bucket of (await resourcesOf(stage, 'Data', 'AWS::S3::Bucket')).values()) await empty(bucket);
cdk('destroy', stage, '--force');

/** Removes every version of every object; in dev the lock is one that its owner may lift. */
async function empty(Bucket: string): Promise<void> {
  for (;;) {
    const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 1000 }));
    const Objects = [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => ({ Key, VersionId }));
    if (Objects.length === 0) return;
    const { Errors = [] } = await s3.send(new DeleteObjectsCommand({
      Bucket, BypassGovernanceRetention: true, Delete: { Objects, Quiet: true },
    }));
    if (Errors.length > 0) throw new Error(`${Bucket}: ${Errors[0]?.Key}: ${Errors[0]?.Message}`);
  }
}
