// Uploading a package: XMLHttpRequest, because fetch does not say how much has been sent.
import { ApiError, callHeaders, failure } from '../../api/client';
import { again } from '../../app/confirmed';

/** Send a zip; `dryRun` asks only for the review. `progress` gets a share of 1. Raises: ApiError. */
export function sendPackage<T>(file: File, dryRun: boolean, progress: (share: number) => void, signal?: AbortSignal, sha256?: string): Promise<T> {
  return again(() => once<T>(file, dryRun, progress, signal, sha256));
}

function once<T>(file: File, dryRun: boolean, progress: (share: number) => void, signal?: AbortSignal, sha256?: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', `/wunder/admin/channel_plugins/upload${dryRun ? '?dry_run=true' : ''}`);
    for (const [name, value] of Object.entries(callHeaders('POST'))) request.setRequestHeader(name, value);
    request.responseType = 'json';
    request.upload.onprogress = (event) => progress(event.lengthComputable ? event.loaded / event.total : 0);
    request.upload.onload = () => progress(1);
    request.onerror = () => reject(new ApiError(0, { title: 'The gateway was not reached.' }));
    request.onabort = () => reject(new DOMException('stopped', 'AbortError'));
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve(request.response as T);
      else reject(failure({ status: request.status, url: request.responseURL }, request.response));
    };
    signal?.addEventListener('abort', () => request.abort());
    const form = new FormData();
    if (sha256) form.append('sha256', sha256);
    form.append('file', file);
    request.send(form);
  });
}
