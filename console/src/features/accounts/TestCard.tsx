// Asking the platform whether an account works, and what it said.
import { useMutation } from '@tanstack/react-query';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import type { ConfigVerdict } from '../../api/schema';
import { Icon } from '../../components/Icon';
import { Card } from '../../components/Page';
import { Failed } from '../../components/States';
import { duration } from '../../i18n/format';
import { useFaultWords } from '../../forms/words';

export function TestCard(props: {
  test: () => Promise<ConfigVerdict>;
  /** Begin with the platform anew, then ask it as the test does. */
  reconnect?: () => Promise<ConfigVerdict>;
  blocked?: string;
}) {
  const { t } = useTranslation();
  const words = useFaultWords();
  const run = useMutation({
    mutationFn: async (ask: () => Promise<ConfigVerdict>) => {
      const started = performance.now();
      const verdict = await ask();
      return { verdict, took: performance.now() - started };
    },
  });
  const result = run.data;
  return (
    <Card
      title={t('test.title')}
      actions={
        <div className="row">
          {props.reconnect && (
            <Button
              size="small"
              icon={<Icon name="refresh" size={12} />}
              disabled={!!props.blocked || run.isPending}
              title={props.blocked || t('test.reconnectHint')}
              onClick={() => props.reconnect && run.mutate(props.reconnect)}
            >
              {t('test.reconnect')}
            </Button>
          )}
          <Button size="small" loading={run.isPending} disabled={!!props.blocked} title={props.blocked} onClick={() => run.mutate(props.test)}>
            {t('test.do')}
          </Button>
        </div>
      }
    >
      <div className="stack" aria-live="polite">
        {!result && !run.error && <span className="meta">{props.blocked || t('test.hint')}</span>}
        {run.error && <Failed error={run.error} compact />}
        {result && (
          <div className={result.verdict.is_ok ? 'note ok' : 'note err'}>
            <Icon name={result.verdict.is_ok ? 'check' : 'warning'} />
            <div className="stack tight">
              <span>
                <strong>{result.verdict.is_ok ? t('test.ok') : t('test.failed')}</strong> <span className="meta">{duration(result.took)}</span>
              </span>
              {(result.verdict.display_name || result.verdict.external_id) && (
                <span>
                  {result.verdict.display_name} <code>{result.verdict.external_id}</code>
                </span>
              )}
              {[...(result.verdict.errors ?? []), ...(result.verdict.warnings ?? [])].map((one) => (
                <span key={one.path + one.code}>
                  {one.path && <code>{one.path}</code>} {words(one.code, undefined, one.message)}
                </span>
              ))}
            </div>
          </div>
        )}
      </div>
    </Card>
  );
}
