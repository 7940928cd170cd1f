import { WireWriter } from '../wire.js';
import { ADMIN_APIS, type KafkaRequest } from './request.js';

const TOPIC = 2;
const SET = 0;

interface ResourceError {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

/** Values of all settings of the topics asked for, defaults included; null for one that is not to be told. */
export interface TopicConfigs extends ResourceError {
  readonly topic: string;
  readonly values: ReadonlyMap<string, string | null>;
}

export function describeTopicConfigsRequest(topics: readonly string[]): KafkaRequest<readonly TopicConfigs[]> {
  const writer = new WireWriter();
  // No list of names asks for all of them.
  writer.array(topics, (topic) => writer.int8(TOPIC).string(topic).int32(-1)).boolean(false);
  return {
    api: ADMIN_APIS.describeConfigs,
    body: [writer.take()],
    decode: (reader) => {
      reader.int32(); // throttle time
      return reader.array(() => {
        const errorCode = reader.int16();
        const errorMessage = reader.nullableString();
        reader.int8(); // kind of resource
        const topic = reader.string();
        const values = new Map<string, string | null>();
        reader.array(() => {
          values.set(reader.string(), reader.nullableString());
          reader.boolean(); // read only
          reader.int8(); // where it comes from
          reader.boolean(); // secret
          reader.array(() => {
            reader.string();
            reader.nullableString();
            reader.int8();
          });
        });
        return { errorCode, errorMessage, topic, values };
      });
    },
  };
}

/** Sets these values; whatever else is set on the topic is not touched. */
export function setTopicConfigsRequest(topic: string, configs: Readonly<Record<string, string>>): KafkaRequest<readonly ResourceError[]> {
  const writer = new WireWriter();
  writer
    .array([topic], (name) => {
      writer.int8(TOPIC).string(name).array(Object.entries(configs), ([setting, value]) => writer.string(setting).int8(SET).string(value));
    })
    .boolean(false);
  return {
    api: ADMIN_APIS.incrementalAlterConfigs,
    body: [writer.take()],
    decode: (reader) => {
      reader.int32();
      return reader.array(() => {
        const answer = { errorCode: reader.int16(), errorMessage: reader.nullableString() };
        reader.int8();
        reader.string();
        return answer;
      });
    },
  };
}

/** A rule of access in Kafka's numbers. */
export interface NumberedRule {
  readonly resourceType: number;
  readonly name: string;
  readonly patternType: number;
  readonly principal: string;
  readonly host: string;
  readonly operation: number;
  readonly permission: number;
}

const ANY = 1;

/** All rules there are. */
export function describeRulesRequest(): KafkaRequest<ResourceError & { readonly rules: readonly NumberedRule[] }> {
  return {
    api: ADMIN_APIS.describeAcls,
    body: [new WireWriter().int8(ANY).string(null).int8(ANY).string(null).string(null).int8(ANY).int8(ANY).take()],
    decode: (reader) => {
      reader.int32();
      const errorCode = reader.int16();
      const errorMessage = reader.nullableString();
      const rules = reader.array(() => {
        const resourceType = reader.int8();
        const name = reader.string();
        const patternType = reader.int8();
        return reader.array(() => ({ resourceType, name, patternType, principal: reader.string(), host: reader.string(), operation: reader.int8(), permission: reader.int8() }));
      });
      return { errorCode, errorMessage, rules: rules.flat() };
    },
  };
}
