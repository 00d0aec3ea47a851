/**
 * The audit bucket's own side of who may write into it. It belongs to the stack of data, so that
 * a trail can be made anew without touching a bucket that nobody can empty.
 */
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { DataStack } from './data.js';
import type { Settings } from './settings.js';

/** Lets CloudTrail and Config deliver into the audit bucket, this account's records only. */
export function lendAuditBucket(data: DataStack, settings: Settings): void {
  const { audit } = data.buckets;
  const trail = `arn:aws:cloudtrail:${data.region}:${data.account}:trail/lombard-${settings.stage}`;
  const to = (sid: string, service: string, actions: string[], resource: string, source: Record<string, unknown>) =>
    audit.addToResourcePolicy(new PolicyStatement({
      sid,
      effect: Effect.ALLOW,
      principals: [new ServicePrincipal(service)],
      actions,
      resources: [resource],
      conditions: source,
    }));
  const fromTrail = { StringEquals: { 'aws:SourceArn': trail } };
  to('TrailLooks', 'cloudtrail.amazonaws.com', ['s3:GetBucketAcl'], audit.bucketArn, fromTrail);
  to('TrailWrites', 'cloudtrail.amazonaws.com', ['s3:PutObject'],
    audit.arnForObjects(`trail/AWSLogs/${data.account}/*`), fromTrail);
  const fromConfig = { StringEquals: { 'aws:SourceAccount': data.account } };
  to('ConfigLooks', 'config.amazonaws.com', ['s3:GetBucketAcl', 's3:ListBucket'], audit.bucketArn, fromConfig);
  to('ConfigWrites', 'config.amazonaws.com', ['s3:PutObject'],
    audit.arnForObjects(`config/AWSLogs/${data.account}/*`), fromConfig);
}
