"""One row for each S3 request: what the server access log and CloudTrail say of it, joined by request id."""

from __future__ import annotations

from typing import Final

RAW_NAME: Final = "raw_s3_requests"
SELECT: Final = """
SELECT
    coalesce(a.requestid, c.requestid) AS requestid,
    CASE WHEN a.requestid IS NULL THEN 'cloudtrail' WHEN c.requestid IS NULL THEN 'access log' ELSE 'both' END
        AS seen_in,
    coalesce(c.eventtime, a.eventtime) AS eventtime,
    coalesce(a.bucket_name, json_extract_string(c.requestparameters, '$.bucketName')) AS bucket_name,
    coalesce(a.key, json_extract_string(c.requestparameters, '$.key')) AS key,
    c.eventname, a.operation, c.useridentity.arn AS principal_arn, a.requester,
    c.useridentity.accesskeyid AS accesskeyid,
    coalesce(c.sourceipaddress, a.remoteip) AS remoteip,
    a.httpstatus, coalesce(c.errorcode, a.errorcode) AS errorcode,
    a.bytessent, a.objectsize, a.totaltime, a.turnaroundtime, a.referrer, a.request_uri, a.versionid,
    coalesce(a.authtype, json_extract_string(c.additionaleventdata, '$.AuthenticationMethod')) AS authtype,
    coalesce(a.sigv, json_extract_string(c.additionaleventdata, '$.SignatureVersion')) AS sigv,
    coalesce(a.tlsversion, c.tlsdetails.tlsversion) AS tlsversion,
    coalesce(a.ciphersuite, c.tlsdetails.ciphersuite) AS ciphersuite,
    json_extract_string(c.requestparameters, '$."X-Amz-Expires"') AS presigned_expires,
    c.eventid, c.record_id AS cloudtrail_record_id, a.record_id AS access_record_id
FROM (SELECT * FROM raw_s3_access WHERE requestid IS NOT NULL AND requestid <> '-') AS a
FULL JOIN (SELECT * FROM raw_cloudtrail WHERE eventsource = 's3.amazonaws.com' AND requestid IS NOT NULL) AS c
    ON a.requestid = c.requestid
"""
"""The join; a request that only one of them knows has NULLs on the other side."""

_WHOLE_NUMBERS: Final = frozenset({"bytessent", "objectsize", "totaltime", "turnaroundtime"})
_NAMES: Final = """
    requestid seen_in eventtime bucket_name key eventname operation principal_arn requester
    accesskeyid remoteip httpstatus errorcode bytessent objectsize totaltime turnaroundtime referrer
    request_uri versionid authtype sigv tlsversion ciphersuite presigned_expires eventid
    cloudtrail_record_id access_record_id
"""
COLUMNS: Final = {
    name: "timestamp" if name == "eventtime" else "bigint" if name in _WHOLE_NUMBERS else "varchar"
    for name in _NAMES.split()
}
"""The columns in order, with Trino's types."""
